"""The pinned runtimes: their versions, how they come from the registry, the Node at hand. Imports `resources` and the modules below it."""
