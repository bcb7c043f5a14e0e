"""Standard streams as a carrier of messages. Imports `_carriers`, `_dialects`, `_aio`, `_io`, `_start`, `_json`, `_core` and `errors`."""
