"""The meaning of bytes, descriptors and shared sockets to the system: the only room that knows the platform. Imports `errors` alone."""
