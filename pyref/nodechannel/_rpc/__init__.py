"""JSON-RPC 2.0, one object a message, as vscode-jsonrpc speaks it. Imports `_dialects` and the public packages."""
