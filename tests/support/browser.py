"""A real Chromium without a window: one process that opens pages in files, at any width, light or dark."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

# Nothing but the page: no network, no sandbox (a container of CI has none), no graphics card, no small `/dev/shm`.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--allow-file-access-from-files",
    "--remote-debugging-pipe",
)

# Chromium takes commands on descriptor 3 and answers on descriptor 4.
_ON_ITS_DESCRIPTORS = 'exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>&2'

_HEIGHT = 900


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next(filter(None, map(shutil.which, names)), None)


class BrowserError(Exception):
    """The browser refused a command, ended, or gave no answer in time."""


class Browser:
    """A browser with a page, as a context manager.

    Args:
        path: the program, as `find_chromium` returns it.
        limit: seconds for each command.
    """

    def __init__(self, path: str, limit: float = 50) -> None:
        self._path = path
        self._limit = limit
        self._commands = 0
        self._read = b""
        self._loaded = False
        self._session: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            ["sh", "-c", _ON_ITS_DESCRIPTORS, self._path, *_FLAGS, f"--user-data-dir={self._profile.name}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self._profile.name},
            start_new_session=True,
        )
        try:
            target = self._call("Target.createTarget", url="about:blank")["targetId"]
            attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
            self._session = {"sessionId": attached["sessionId"]}
            self._call("Page.enable")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        with self._process:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._profile.cleanup()

    def open(self, page: Path) -> None:
        """Open a page and wait until it is loaded."""
        self._loaded = False
        failure = self._call("Page.navigate", url=page.as_uri()).get("errorText")
        if failure:
            raise BrowserError(f"{page}: {failure}")
        while not self._loaded:
            self._next()

    def resize(self, width: int) -> None:
        """Give the page another width in pixels."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=_HEIGHT,
            deviceScaleFactor=1,
            mobile=False,
        )

    def prefer(self, scheme: str) -> None:
        """Let the user prefer a colour scheme: ``light`` or ``dark``."""
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page; a promise is waited for."""
        found = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise BrowserError(json.dumps(found["exceptionDetails"]))
        return found["result"].get("value")

    def picture(self) -> bytes:
        """Return a PNG of the window."""
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    # Messages are JSON texts with a zero behind each.

    def _call(self, method: str, **params: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._commands += 1
        message = {"id": self._commands, "method": method, "params": params, **self._session}
        self._process.stdin.write(json.dumps(message).encode() + b"\0")
        self._process.stdin.flush()
        while (answer := self._next()).get("id") != self._commands:
            pass
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def _next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        deadline = time.monotonic() + self._limit
        while b"\0" not in self._read:
            ready = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]
            data = os.read(self._process.stdout.fileno(), 1 << 20) if ready else b""
            if not data:
                raise BrowserError("the browser ended" if ready else "the browser gave no answer in time")
            self._read += data
        text, _, self._read = self._read.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        # A small page is loaded before the answer to its command comes.
        self._loaded = self._loaded or message.get("method") == "Page.loadEventFired"
        return message
