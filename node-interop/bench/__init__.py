"""The benchmarks: `make bench`. README.md of this folder says what is measured and how."""
