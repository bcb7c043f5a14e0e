"""Messages through Redis while the server, its connections and the consumers are killed: how many are lost, how many come twice."""
