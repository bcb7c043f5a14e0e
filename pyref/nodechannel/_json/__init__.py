"""The serialization `json`: bytes to lines, lines to values, and back. Imports `errors`, `_handles` and `_core`."""
