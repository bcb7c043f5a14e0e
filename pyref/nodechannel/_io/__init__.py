"""One read and one write for every front end. Imports `_core` and the rooms below it."""
