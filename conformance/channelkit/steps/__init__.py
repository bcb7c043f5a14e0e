"""The steps of a case: their actions and the events that they wait for. Imports `process`, `wire` and the modules below them."""
