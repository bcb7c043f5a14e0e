"""Fetches pinned runtimes from an npm registry: downloads a package, checks its bytes and unpacks the program.

The registry is the registry of npm: ``npm_config_registry``, an ``.npmrc``, else the answer of npm itself. It may be a
``file:`` address of a directory with the layout of a registry. The rest of npm's configuration is not read.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import shutil
import subprocess
import tarfile
import tempfile
import urllib.request
from pathlib import Path

from channelkit.errors import KitError, UsageError
from channelkit.runtimes.pinned import Runtime

_TIMEOUT = 60
"""Seconds without a byte."""
_DIGEST = "program.sha256"


class FetchError(KitError):
    """A runtime could not be fetched, or its bytes are not the pinned bytes."""


def registry() -> str:
    """Address of the registry. Raises :class:`UsageError` when none is configured."""
    address = _from_environment() or _from_npmrc(Path.cwd()) or _from_npmrc(Path.home()) or _from_npm()
    if address:
        return address.rstrip("/")
    raise UsageError("no npm registry is configured: set npm_config_registry")


def _from_environment() -> str | None:
    """The variable of npm, which may be written in capitals or in small letters."""
    return next((value for key, value in os.environ.items() if key.lower() == "npm_config_registry"), None)


def _from_npmrc(folder: Path) -> str | None:
    with contextlib.suppress(OSError):
        for line in (folder / ".npmrc").read_text(encoding="utf-8").splitlines():
            key, _equals, value = line.partition("=")
            if key.strip() == "registry" and value.strip():
                return value.strip()
    return None


def _from_npm() -> str | None:
    npm = shutil.which("npm")
    if npm is None:
        return None
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        words = [npm, "config", "get", "registry"]
        told = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False).stdout.strip()
        return told if told.startswith(("http", "file:")) else None
    return None


def fetch(runtime: Runtime) -> Path:
    """The program of a runtime, fetched unless it is there. Raises :class:`FetchError` and :class:`UsageError`."""
    if not runtime.package:
        raise FetchError(f"{runtime.name}: {runtime.state}")
    if runtime.is_there:
        return runtime.path
    address = f"{registry()}/{runtime.package}/-/{runtime.package.rpartition('/')[2]}-{runtime.version}.tgz"
    runtime.folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=runtime.folder.parent) as scratch:
        archive = Path(scratch) / "package.tgz"
        _download(address, archive)
        if not matches(archive, runtime.integrity):
            raise FetchError(
                f"{runtime.name}: the bytes of {address} are not the pinned bytes ({runtime.integrity})"
            )
        unpacked = Path(scratch) / "unpacked"
        unpacked.mkdir()
        _unpack(archive, f"package/{runtime.binary}", unpacked / runtime.path.name)
        (unpacked / _DIGEST).write_text(_sha256(unpacked / runtime.path.name), encoding="ascii")
        with contextlib.suppress(OSError):  # a parallel fetch was faster
            unpacked.rename(runtime.folder)
    return runtime.path


def verify(runtime: Runtime) -> bool:
    """Whether the program in the cache still has the bytes that were unpacked."""
    try:
        return (runtime.folder / _DIGEST).read_text(encoding="ascii") == _sha256(runtime.path)
    except OSError:
        return False


def matches(archive: Path, integrity: str) -> bool:
    """Whether a file has the bytes that an integrity string of npm (``sha512-…``) describes."""
    name, _dash, expected = integrity.partition("-")
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, name).digest()
    return hmac.compare_digest(base64.b64encode(digest).decode(), expected)


def _download(address: str, target: Path) -> None:
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
    except (OSError, ValueError) as error:
        raise FetchError(f"{address}: {error}") from error


def _unpack(archive: Path, member: str, target: Path) -> None:
    """Takes a single file out of the archive; the rest of the archive does not reach the disk."""
    try:
        with tarfile.open(archive) as package:
            source = package.extractfile(member)
            if source is None:
                raise FetchError(f"{archive.name}: {member} is no file")
            with source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
    except (KeyError, tarfile.TarError) as error:
        raise FetchError(f"{archive.name}: no {member}: {error}") from error
    target.chmod(0o755)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
