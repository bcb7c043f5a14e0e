"""The commands of `channelkit`. Imports every room."""
