"""The entry of the command ``channelkit``. A tapped process has to start fast, so `tap` loads only its own modules."""

import sys


def main() -> int:
    """Runs the command line and returns the exit status."""
    if sys.argv[1:2] == ["tap"]:
        from channelkit.cli.tap import main as tap

        return tap(sys.argv[2:])
    from channelkit.cli.main import main as everything

    return everything()
