"""Bytes, descriptors and values of a channel as the kit writes and reads them. Imports `errors` and `limits` alone."""
