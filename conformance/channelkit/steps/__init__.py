"""The steps of a case: what each one does and waits for. Imports `process`, `wire` and the modules below them."""
