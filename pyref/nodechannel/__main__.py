"""Run the command line interface with ``python -m nodechannel``."""

import sys

from nodechannel._cli.main import main

sys.exit(main())
