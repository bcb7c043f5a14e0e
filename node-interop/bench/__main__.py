"""``python -m bench``, which is ``make bench``."""

from bench.cli import main

main()
