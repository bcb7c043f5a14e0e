"""JSON-RPC 2.0 over the channel, one object a message, as vscode-jsonrpc's IPC reader and writer speak it."""
