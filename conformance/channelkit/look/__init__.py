"""A recording for people: lines in a terminal, one page, a trace for Perfetto. Imports `errors`, `resources`, `wire`, `tap` and `lint`."""
