"""The words of execa's IPC methods, on both sides of them."""
