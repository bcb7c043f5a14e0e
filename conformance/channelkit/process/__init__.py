"""A running subject: how it starts, how it is driven, how it ends. Imports `wire`, `resources` and the modules below them."""
