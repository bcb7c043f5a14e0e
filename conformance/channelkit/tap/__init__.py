"""The tap: a relay in front of a child, and the recording that it writes. Imports `errors`, `limits`, `resources`, `wire` and `schema`."""
