"""JSON-RPC 2.0, each message an object, as vscode-jsonrpc speaks it. Imports `_dialects` and the public packages."""
