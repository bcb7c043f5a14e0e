"""Language servers over the channel: one JSON-RPC object a message, without Content-Length."""
