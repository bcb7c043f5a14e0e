"""The case files and the verdicts. Imports `steps` and the rooms below it."""
