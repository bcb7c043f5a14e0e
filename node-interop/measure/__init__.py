"""Observes runtimes on the channel: `python -m measure` writes `spec/measured.json`.

`table` holds the rows. `peer` is one running runtime, and `subject.cjs` is the program that it runs. `ways` has the ways in which most rows
find their answer, `sockets` the descriptors to send, `words` the words of the cells. `chapters` has the rows, a file for each subject.
"""
