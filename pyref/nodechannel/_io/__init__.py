"""The steps of every front end: a read and a write. Imports `_core` and the rooms below it."""
