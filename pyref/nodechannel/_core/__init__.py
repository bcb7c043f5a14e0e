"""The protocol of one channel without I/O: bytes and descriptors in, events and writes out. Imports `errors` and `_handles`."""
