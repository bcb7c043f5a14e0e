"""How a process gets its channel: the environment of a child, the socket pair of a parent. Imports `errors` and `_core`."""
