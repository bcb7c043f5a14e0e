"""Run the command line interface with ``python -m nodechannel``."""

import sys

from nodechannel.cli import main

sys.exit(main())
