"""Clusters under load: every request accounted for, and requests per second beside Node's own primary."""
