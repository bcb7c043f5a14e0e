"""The serialization `advanced`: V8's format, as Node writes it on the channel. Imports `errors`, `js`, `_handles`, `_core` and `_json`.

This room touches no socket. The room is loaded when a channel first uses this serialization.
"""
