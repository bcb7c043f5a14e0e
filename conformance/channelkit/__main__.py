"""``python -m channelkit``."""

import sys

from channelkit.cli.entry import main

sys.exit(main())
