"""PM2's words: messages, metrics, actions, and the two front ends."""
