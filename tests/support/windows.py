"""The laboratory of Windows: on Linux that is Wine, and in it unmodified Node and CPython for Windows.

`python -m support.windows` sets it up and prints its parts. Node comes from npm (`conformance/runtimes.json`). The DLLs of CPython come
from a wheel, its standard library from the interpreter that runs this. A machine without Wine has no laboratory. On Windows itself the
laboratory is this interpreter and the Node on PATH.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from channelkit.errors import KitError
from channelkit.runtimes.fetch import fetch
from channelkit.runtimes.pinned import named
from support import windowspython
from support.node import ROOT
from support.packages import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PLACE = ROOT / "build" / "windows"
MAJORS = (18, 20, 22)
"""Node 24 and later abort at start under Wine 8, which lacks a form of memory that they reserve."""

MINOR = f"3{sys.version_info.minor}"
WHEEL = "panda3d==1.10.16"
"""The wheel with the DLLs of CPython and of its extension modules."""
WHEELS = {
    "311": "37acfb92655c4226879f95c988e2ef1449a53c54486d6c1ebc00e2772429af82",
    "312": "f6493e2ecc0d1b7c1556a999556e5278cbc9484fe5fe1e159a1ccc02b870b18f",
    "313": "0e505261bb58d8402d0099c291f1a3459acfdd38f3e7d666e72aa2e1ea5dc46f",
}
PACKAGES = ("orjson>=3.10", "pytest>=9.0")
MARK = "NODECHANNEL_WINDOWS_RUN"
"""The variable that marks all processes of a run, wherever they went."""

ON_WINDOWS = sys.platform == "win32"

PATIENCE = 300.0
"""Seconds for each step of the set-up."""


class NoLaboratoryError(Exception):
    """This machine cannot have the laboratory; the text says why and names the remedy."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended; the status of a killed program is -9."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Programs for Windows, as paths of this system."""

    prefix: Path
    python: Path
    nodes: Mapping[int, Path]

    @property
    def newest(self) -> Path:
        """The newest Node."""
        return self.nodes[max(self.nodes)]

    def run(
        self,
        *words: str | Path,
        seconds: float = 120.0,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Ended:
        """Run a program for Windows to its end; kill it and its descendants after `seconds`."""
        with tempfile.TemporaryDirectory(prefix=f"nodechannel-windows-{os.getpid()}-") as scratch:
            if ON_WINDOWS:
                return _run_here(Path(scratch), words, seconds, env or {}, cwd)
            return _Run(Path(scratch), environment(self.prefix, env or {})).run(words, seconds, cwd)


def _run_here(
    scratch: Path, words: Sequence[str | Path], seconds: float, more: Mapping[str, str], cwd: Path | None
) -> Ended:
    """Run a program on Windows itself, with files for its streams: a descendant that lives on may hold a pipe."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("NODE_")}
    env = {**kept, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", **more}
    paths = [scratch / name for name in ("out", "err")]
    with paths[0].open("wb") as out, paths[1].open("wb") as err:
        process = subprocess.Popen(
            [str(word) for word in words], stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env, cwd=cwd
        )
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            subprocess.run(
                ["taskkill", "/t", "/f", "/pid", str(process.pid)], check=False, capture_output=True
            )
            process.wait()
            status = -9
    return Ended(status, *(path.read_text("utf-8", "replace") for path in paths))


class _Run:
    """One program with files for its streams.

    The shell of Wine opens the files. A pipe of Linux as its output breaks Node (`open EBADF`), and a file of Linux breaks
    CPython (`WinError 6`).
    """

    def __init__(self, scratch: Path, env: dict[str, str]) -> None:
        self._scratch = scratch
        self._mark = scratch.name
        self._env = {**env, MARK: self._mark}

    def run(self, words: Sequence[str | Path], seconds: float, cwd: Path | None) -> Ended:
        script = self._scratch / "run.bat"
        line = subprocess.list2cmdline(
            [windows_path(word) if isinstance(word, Path) else word for word in words]
        )
        out, err = self._scratch / "out", self._scratch / "err"
        streams = f"<NUL >{windows_path(out)} 2>{windows_path(err)}"
        script.write_text(f"@{line.replace('%', '%%')} {streams}\r\n@exit %errorlevel%\r\n", "utf-8")
        status = self._wait(["wine", "cmd", "/c", windows_path(script)], seconds, cwd)
        texts = [path.read_text("utf-8", "replace") if path.exists() else "" for path in (out, err)]
        return Ended(status, *(text.replace("\r\n", "\n") for text in texts))

    def _wait(self, command: list[str], seconds: float, cwd: Path | None) -> int:
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(
            command, env=self._env, cwd=cwd, stdin=quiet, stdout=quiet, stderr=quiet, process_group=0
        )
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            self._kill()
            process.wait()

    def _kill(self) -> None:
        """Kill the processes that are left of the run. A process of Wine may leave its group, and keeps its environment."""
        for pid in marked(self._mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def marked(mark: str) -> list[int]:
    """Return the processes of a run. Wine's own services carry the mark of the run that started them, and serve all runs."""
    return [
        int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal() and _has(entry, mark)
    ]


def _has(entry: Path, mark: str) -> bool:
    try:
        variables = (entry / "environ").read_bytes().split(b"\0")
        if f"{MARK}={mark}".encode() not in variables:
            return False
        command = (entry / "cmdline").read_bytes()
    except OSError:  # it has ended, or is not ours
        return False
    return b"wineserver" not in command and not command.lower().startswith(b"c:\\windows\\system32\\")


def windows_path(path: str | Path) -> str:
    """Return a path of this system as a program for Windows writes it."""
    if ON_WINDOWS:
        return str(path)
    return "Z:" + str(path).replace("/", "\\")


def environment(prefix: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Return this environment for a program in Wine, without a display, without variables that Wine's programs take for their own."""
    left_out = ("DISPLAY", "NODE_", "PYTHON", "VIRTUAL_ENV", "WINE")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    return {
        **kept,
        "PYTHONPATH": f"Z:{_python_folder().as_posix()}/packages",
        "WINEPREFIX": str(prefix),
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        **more,
    }


@functools.cache
def laboratory() -> Laboratory:
    """Return the laboratory; set up the parts of it that are missing. Raises `NoLaboratoryError`."""
    if ON_WINDOWS:
        return _laboratory_here()
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        raise NoLaboratoryError("Wine runs programs for 64-bit Windows on Linux for x86-64 alone")
    if MINOR not in WHEELS:
        raise NoLaboratoryError(f"no {WHEEL} is pinned for this Python: use 3.11 to 3.13")
    if shutil.which("wine") is None:
        raise NoLaboratoryError("no wine on PATH: run `apt-get install --no-install-recommends wine wine64`")
    PLACE.mkdir(parents=True, exist_ok=True)
    with locked(PLACE / "lock"):
        try:
            nodes = {major: fetch(named(f"node@{major}", "win32-x64")) for major in MAJORS}
            python = _once(_python_folder(), _make_python)
            return Laboratory(_once(PLACE / "prefix", _make_prefix), python / "python.exe", nodes)
        except (KitError, OSError, subprocess.SubprocessError) as error:
            raise NoLaboratoryError(str(error)) from error


def _laboratory_here() -> Laboratory:
    """Return the laboratory that a machine with Windows is. Raises `NoLaboratoryError`."""
    found = shutil.which("node")
    if found is None:
        raise NoLaboratoryError("no node on PATH")
    if sys.prefix != sys.base_prefix:
        raise NoLaboratoryError(
            "the program of a virtual environment is a launcher, which gets the sockets of Node"
        )
    done = subprocess.run([found, "--version"], capture_output=True, text=True, check=True, timeout=PATIENCE)
    major = int(done.stdout.removeprefix("v").partition(".")[0])
    return Laboratory(Path(), Path(sys.executable), {major: Path(found)})


def _python_folder() -> Path:
    return PLACE / f"python{MINOR}-{WHEELS[MINOR][:12]}"


def _once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Make a folder beside its place, then rename it: an interrupted set-up leaves no folder that looks complete."""
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=PLACE) as scratch:
            new = Path(scratch) / "new"
            new.mkdir()
            make(new)
            new.rename(folder)
    return folder


def _make_prefix(folder: Path) -> None:
    """Make a prefix of Wine that calls itself Windows 10: every Node refuses older ones."""
    env = environment(folder, {"WINEDLLOVERRIDES": "mscoree,mshtml="})
    _do(["wineboot", "-i"], env)
    _do(["wine", "winecfg", "-v", "win10"], env)
    end(folder)


def _make_python(folder: Path) -> None:
    """Lay CPython out as its installer does, with the standard library of this interpreter."""
    wheels = folder / "wheels"
    # The wheel with the DLLs is fetched alone, by its digest; the packages come with those that they need.
    pins = folder / "pins.txt"
    pins.write_text(f"{WHEEL} --hash=sha256:{WHEELS[MINOR]}\n", "utf-8")
    _do(
        [*_pip("download", "--dest", str(wheels)), "--no-deps", "--require-hashes", "-r", str(pins)],
        os.environ,
    )
    _lay_out(next(wheels.glob("*.whl")), folder)
    shutil.rmtree(wheels)
    (folder / "Lib").symlink_to(Path(os.__file__).parent)
    _do([*_pip("install", "--target", str(folder / "packages"), "--no-compile"), *PACKAGES], os.environ)


def _pip(*words: str) -> list[str]:
    """Return the beginning of a command of pip that takes wheels for Windows alone."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        *words,
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary=:all:",
    ]
    return [*pip, "--platform", "win_amd64", "--implementation", "cp", "--python-version", MINOR]


def _lay_out(wheel: Path, folder: Path) -> None:
    """Put DLLs beside `python.exe`, and extension modules into the folder where the DLL of CPython looks for them."""
    (folder / "DLLs").mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.namelist():
            name = entry.removeprefix("deploy_libs/")
            if name != entry and name and not name.startswith(("api-ms-", "tcl", "tk")):
                (folder / ("DLLs" if name.endswith(".pyd") else "") / name).write_bytes(archive.read(entry))
    windowspython.write(f"python{MINOR}.dll", folder / "python.exe")


def _do(command: list[str], env: Mapping[str, str]) -> None:
    """Do a step of the set-up within its limit of time; its text is part of the error when it fails."""
    done = subprocess.run(
        command,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE,
        process_group=0,
        check=False,
    )
    if done.returncode:
        raise NoLaboratoryError(
            f"{' '.join(command[:3])} failed: {done.stdout.decode(errors='replace')[-500:]}"
        )


def end(prefix: Path) -> None:
    """End all that runs in a prefix, and its server, which may have ended by itself."""
    subprocess.run(["wineserver", "-k", "-w"], env=environment(prefix, {}), timeout=PATIENCE, check=False)


def main() -> int:
    """Set the laboratory up and print its parts."""
    try:
        found = laboratory()
    except NoLaboratoryError as error:
        print(f"NO LABORATORY OF WINDOWS HERE, so no test of it runs: {error}", file=sys.stderr)
        return 1
    print(f"prefix   {found.prefix}\npython   {found.python}")
    for major, path in found.nodes.items():
        print(f"node {major}  {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
