"""Workers of Node's process pools, and pools over Node's workers. Imports `_dialects` and the public packages."""
