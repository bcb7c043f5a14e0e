"""The queues of npm `rsmq`. Imports `_redis`, `_carriers`, `_dialects` and `errors`."""
