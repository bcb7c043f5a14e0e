"""``python -m channelkit``."""

import sys

from channelkit.cli import main

sys.exit(main())
