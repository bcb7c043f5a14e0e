"""The asyncio front end: the same words as coroutines. Imports `_start`, `_io` and the rooms below them, never `_blocking`."""
