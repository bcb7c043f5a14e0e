"""Search for bugs: plans that Hypothesis invents, and the peers that run them. ARCHITECTURE.md says how it fits together."""
