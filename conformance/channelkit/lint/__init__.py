"""Which rules a recording shows to be broken. Imports `errors`, `resources`, `wire` and `tap`."""
