"""The blocking front end: channels that threads share. Imports every room before it."""
