"""The protocol of a channel without I/O: bytes and descriptors in, events and writes out. Imports `errors` and `_handles`."""
