"""Descriptors and sockets that travel with messages: their owner, their type, both directions. Imports `errors` alone."""
