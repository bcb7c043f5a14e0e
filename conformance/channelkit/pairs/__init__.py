"""Two real ends of a channel, and the bytes between them. Imports `judge` and the rooms below it."""
