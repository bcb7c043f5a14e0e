"""``python -m channelkit``."""

import sys

from channelkit.cli.main import main

sys.exit(main())
