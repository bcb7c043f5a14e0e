"""A whole program under the tap: each of its processes starts those that get a channel behind the words of one variable.

Node does so by a module that is loaded first, `nodechannel` by itself.
"""

import json
import os
import pkgutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import channelkit
from channelkit.errors import UsageError
from channelkit.tap.start import Settings, run

TAP, NODE_OPTIONS = "NODECHANNEL_TAP", "NODE_OPTIONS"
_PRELOAD = "follow.cjs"
_START = "import sys; sys.path.insert(0, {!r}); from channelkit.tap.start import main; main()"


def follow(settings: Settings, command: Sequence[str]) -> int:
    """Becomes the command; returns an exit status if that is impossible. Raises :class:`UsageError`."""
    folder = Path(settings.target).absolute()
    preload = folder / _PRELOAD
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A copy: an installation may move while the program runs, and an archive has no files.
        preload.write_bytes(pkgutil.get_data("channelkit.tap", _PRELOAD) or b"")
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}; --follow needs a folder for its recordings") from None
    inherited = os.environ.get(NODE_OPTIONS, "")
    environment = {
        TAP: json.dumps(words(replace(settings, target=f"{folder}/", quiet=True))),
        NODE_OPTIONS: f"--require {_quoted(preload)} {inherited}".rstrip(),
    }
    os.environ.update(environment)
    own = bool(os.environ.get("NODE_CHANNEL_FD"))
    return run(replace(settings, target=f"{folder}/", quiet=not own), command)


def words(settings: Settings) -> list[str]:
    """The start of a tapped process by the interpreter of the kit, with the Python variables of the program left out."""
    root = str(Path(channelkit.__file__).parent.parent)
    return [sys.executable, "-I", "-S", "-c", _START.format(root), settings.encoded(), "--"]


def _quoted(path: Path) -> str:
    text = str(path)
    return json.dumps(text) if " " in text or '"' in text or "\\" in text else text
