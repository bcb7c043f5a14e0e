"""A real Chromium without a window, for pages in files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

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
)


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next(filter(None, map(shutil.which, names)), None)


def dump(browser: str, page: Path, profile: Path, *words: str) -> str:
    """Return the document of a page after the browser has run its scripts; `profile` is an empty folder, `words` are more options."""
    with subprocess.Popen(
        [browser, *_FLAGS, f"--user-data-dir={profile}", *words, "--dump-dom", page.as_uri()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HOME": str(profile)},
        start_new_session=True,
    ) as started:
        try:
            text, complaints = started.communicate(timeout=100)
        finally:
            os.killpg(started.pid, signal.SIGKILL)
    assert started.returncode == 0, complaints
    return text
