"""Messages a second over each carrier, for pairs of Node and Python."""
