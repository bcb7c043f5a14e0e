"""The benchmarks: `make bench`. README.md of this folder describes the measurements."""
