"""Words that every carrier shares: received items, waiting, pauses between tries. Imports `_dialects`, `_aio`, `_io` and `errors`."""
