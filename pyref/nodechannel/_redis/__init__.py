"""Redis as a carrier: streams, lists and channels. Imports `_carriers`, `_dialects`, `_io`, `_json` and `errors`."""
