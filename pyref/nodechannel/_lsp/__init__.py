"""Language servers: each message is a JSON-RPC object. Imports `_rpc`, `_dialects` and the public packages."""
