"""Search for bugs: plans that Hypothesis makes up, and everything they are run on. ARCHITECTURE.md says how it fits together."""
