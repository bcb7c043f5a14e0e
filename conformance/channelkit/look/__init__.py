"""A recording for people: lines in a terminal, a page, a trace for Perfetto. Imports `errors`, `resources`, `wire`, `tap` and `lint`."""
