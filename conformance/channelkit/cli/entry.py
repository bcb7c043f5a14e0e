"""The entry of the command ``channelkit``. A tapped process has to start fast, so `tap` loads only its own modules."""

import sys

NOT_ON_WINDOWS = """\
channelkit: the kit does not run on Windows: its runner and its tap need Linux or macOS.
The form that a channel has on Windows is judged there too: a subject's description says "wire": "windows".
conformance/docs/windows.md of the repository describes such a subject, and what a real Windows machine can show.
"""


def main() -> int:
    """Runs the command line and returns the exit status."""
    if sys.platform == "win32":
        print(NOT_ON_WINDOWS, end="", file=sys.stderr)
        return 3  # as for each failure of the kit itself
    if sys.argv[1:2] == ["tap"]:
        from channelkit.cli.tap import main as tap

        return tap(sys.argv[2:])
    from channelkit.cli.main import main as everything

    return everything()
