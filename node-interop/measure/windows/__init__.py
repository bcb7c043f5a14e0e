"""Observes Node for Windows at the raw end of a pipe; its record is `spec/measured-windows.json`.

`python -m measure.windows NODE` runs on Windows, real or under Wine, with the standard library alone. `pipe` is the raw end and the process
behind it, `rows` has the rows, and `child` is the program that a measured parent starts. `report` is for a person at a real machine.
`support.windowsmeasure` of the tests writes the record.
"""
