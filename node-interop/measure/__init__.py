"""Observes what runtimes do on the channel: `python -m measure` writes `spec/measured.json`.

`table` has the rows, `peer` one running runtime, `subject.cjs` what it runs; `ways` how most rows find their answer, `sockets` what is
sent, `words` what stands in a cell. `chapters` has the rows, a file for each subject of the spec.
"""
