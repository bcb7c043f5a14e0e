"""The commands of `nodechannel`. Imports the public packages and `_cluster`."""
