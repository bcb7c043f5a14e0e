"""Where the kit's data is: in an installed wheel and in the zip archive beside the package, else in the checkout."""

import atexit
import json
import shutil
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

from channelkit.errors import UsageError


def _package() -> Path:
    """The directory of the package. A package in a zip archive is unpacked for the life of this process."""
    here = Path(__file__).resolve().parent
    if here.is_dir():
        return here
    folder = tempfile.mkdtemp(prefix="channelkit-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with zipfile.ZipFile(here.parent) as archive:
        archive.extractall(folder)
    return Path(folder) / here.name


PACKAGE = _package()
PUPPET = PACKAGE / "process" / "puppet.py"
RELAY = PACKAGE / "process" / "relay.py"

# In a wheel all data is in data/. In a checkout adapters and cases are in conformance/, and the rest is beside it.
_ROOTS = (PACKAGE / "data", PACKAGE.parent, PACKAGE.parent.parent, PACKAGE.parent.parent / "spec")


def find(relative: str) -> Path:
    """The first existing file or directory with this name among the data roots.

    Raises :class:`~channelkit.errors.UsageError` when there is none.
    """
    for root in _ROOTS:
        candidate = root / relative
        if candidate.exists():
            return candidate
    raise UsageError(f"the kit's data has no {relative}")


def case_files(catalogue: Path | None = None) -> list[Path]:
    """The files of a catalogue, or of the kit's own, in order of name; the glossary of flags is none of them."""
    folder = find("cases") if catalogue is None else catalogue
    return sorted(path for path in folder.glob("*.json") if path.name != "flags.json")


def _read(relative: str) -> Any:
    try:
        return json.loads(find(relative).read_text(encoding="utf-8"))
    except UsageError:
        return {}


def schema(name: str) -> dict[str, Any]:
    """A schema by its place, for example ``kit/contract.json``. Raises :class:`~channelkit.errors.UsageError`."""
    content: dict[str, Any] = json.loads(find(f"schemas/{name}").read_text(encoding="utf-8"))
    return content


@cache
def rules() -> dict[str, str]:
    """Requirement id to its sentence; empty without the index."""
    found = _read("requirements.json").get("rules", {})
    return {name: entry if isinstance(entry, str) else entry.get("text", "") for name, entry in found.items()}


@cache
def levels() -> dict[str, str]:
    """Requirement id to ``MUST``, ``SHOULD`` or ``MAY``; empty without the index."""
    found = _read("requirements.json").get("rules", {})
    return {name: entry["level"] for name, entry in found.items() if isinstance(entry, dict)}


@cache
def flags() -> dict[str, str]:
    """Flag of a lenient outcome to its meaning; empty without the glossary."""
    return {
        name: f"{entry['meaning']}; {entry['effect']}" for name, entry in _read("cases/flags.json").items()
    }
