"""Request and reply in the form of NestJS's Redis transport. Imports `_redis`, `_carriers`, `_dialects`, `_io`, `_json` and `errors`."""
