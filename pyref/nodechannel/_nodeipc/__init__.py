"""The words of npm `node-ipc` over sockets. Imports `_carriers`, `_dialects`, `_aio`, `_json`, `_core` and `errors`."""
