"""PM2: its messages, metrics and actions, and two front ends. Imports `_dialects` and the public packages."""
