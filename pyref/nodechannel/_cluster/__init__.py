"""Workers and the primary of Node's `cluster`: the protocol without I/O, and its front ends. Imports every room before it."""
