"""Parts that the front ends of packages share: calls of the user's functions, exceptions as text. Imports the public packages."""
