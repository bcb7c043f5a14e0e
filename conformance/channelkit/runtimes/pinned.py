"""The pinned runtimes: which versions, in which packages, and where they are in the cache."""

import hashlib
import json
import os
import platform
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from channelkit.errors import UsageError
from channelkit.resources import find

_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Runtime:
    """A runtime of the list. ``package`` is empty when this platform has no package."""

    name: str
    version: str
    package: str
    integrity: str
    binary: str
    historical: bool
    driven: bool
    """Whether the runtime runs the driven adapter; else it is judged as an echo child."""

    @property
    def folder(self) -> Path:
        """The place of the runtime in the cache; the name changes with the version and with the pinned bytes."""
        digest = hashlib.sha256(self.integrity.encode()).hexdigest()[:12]
        return cache_directory() / f"{self.name}-{self.version}-{digest}"

    @property
    def path(self) -> Path:
        """The place of the program, also before it is fetched."""
        return self.folder / Path(self.binary).name

    @property
    def is_there(self) -> bool:
        """Whether the runtime has been fetched."""
        return bool(self.package) and self.path.is_file()

    @property
    def state(self) -> str:
        """``fetched``, ``absent`` or ``no package for PLATFORM``."""
        return (
            "fetched" if self.is_there else "absent" if self.package else f"no package for {platform_name()}"
        )


def platform_name() -> str:
    """The name of this machine in the list, for example ``linux-x64``."""
    machine = platform.machine().lower()
    return f"{sys.platform}-{_MACHINES.get(machine, machine)}"


def cache_directory() -> Path:
    """``$CHANNELKIT_CACHE``, else ``channelkit`` in the user's cache."""
    named = os.environ.get("CHANNELKIT_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "channelkit"


@cache
def runtimes(on: str | None = None) -> tuple[Runtime, ...]:
    """The list, in its order, with the packages of the platform ``on``: by default this machine's."""
    content = json.loads(find("runtimes.json").read_text(encoding="utf-8"))
    return tuple(
        Runtime(
            entry["name"],
            package.get("version", ""),
            package.get("package", ""),
            package.get("integrity", ""),
            package.get("binary", ""),
            entry.get("historical", False),
            entry.get("driven", True),
        )
        for entry in content["runtimes"]
        for package in [entry["packages"].get(on or platform_name(), {})]
    )


def named(name: str, on: str | None = None) -> Runtime:
    """The runtime with this name. Raises :class:`UsageError` for an unknown name."""
    for runtime in runtimes(on):
        if runtime.name == name:
            return runtime
    raise UsageError(f"no runtime is named {name}: see `channelkit runtimes`")
