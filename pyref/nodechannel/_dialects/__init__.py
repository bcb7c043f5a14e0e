"""What the front ends of packages share: calls of the user's functions, and exceptions as text."""
