"""How a child process ends: how long its parent waits, and which signal ended it."""

from __future__ import annotations

GRACE = 5.0
"""Seconds that a context manager waits for a child to end, which has everything that was sent."""


def warn_of_loss(size: int) -> None:
    """Say that the program ends before the peer took all messages, because the user has set a limit."""
    import warnings

    warnings.warn(
        f"{size} bytes of messages were not delivered: the peer did not take them within `linger` seconds",
        RuntimeWarning,
        stacklevel=2,
    )


def signal_name(code: int | None) -> str | None:
    """Return the name of the signal in a return code of `subprocess`, or None when it is an exit status."""
    if code is None or code >= 0:
        return None
    import signal

    try:
        return signal.Signals(-code).name
    except ValueError:  # a real-time signal
        return f"SIG{-code}"
