"""execa's IPC methods: their state without I/O, and two front ends. Imports `_dialects` and the public packages."""
