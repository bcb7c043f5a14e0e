"""How a process gets its channel: the environment of a child, the socket pair of a parent, the serialization of both.

Imports the serializations and the rooms below them.
"""
