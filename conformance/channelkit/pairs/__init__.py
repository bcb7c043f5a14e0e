"""Two real ends of one channel, and the bytes between them. Imports `judge` and the rooms below it."""
