"""Language servers: one JSON-RPC object a message. Imports `_rpc`, `_dialects` and the public packages."""
