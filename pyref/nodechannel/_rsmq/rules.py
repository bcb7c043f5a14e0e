"""The rules of npm `rsmq` 0.12.4: names of keys, limits of values, and its errors with their names and texts."""

from __future__ import annotations

import re
import secrets
import string

from nodechannel.errors import LocalError

DEFAULT_VT, DEFAULT_DELAY, DEFAULT_MAXSIZE = 30, 0, 65536

_QUEUE = re.compile(r"[a-zA-Z0-9_-]{1,160}").fullmatch
_ID = re.compile(r"[a-zA-Z0-9:]{32}").fullmatch
_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits


class QueueError(LocalError):
    """An error of `rsmq`.

    Attributes:
        name: its name there: queueExists, queueNotFound, messageNotString, messageTooLong, invalidFormat, invalidValue, missingParameter or
            noAttributeSupplied.

    Cause:
        A queue exists or is absent, or a value is outside of the limits of `rsmq`; `name` says which.

    Remedy:
        Correct the value; `create(…)` makes a queue.
    """

    code = "NC_RSMQ"

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


def check_queue(name: object) -> str:
    """Return the name of a queue; raises `QueueError`."""
    # [RSM-001]
    if not isinstance(name, str) or not _QUEUE(name):
        raise QueueError(
            "invalidFormat", "Invalid qname format: 1 to 160 letters, digits, _ and - are allowed"
        )
    return name


def check_id(id: object) -> str:
    """Return the id of a message; raises `QueueError`."""
    if not isinstance(id, str) or not _ID(id):
        raise QueueError("invalidFormat", "Invalid id format: it has 32 letters and digits")
    return id


def check_seconds(item: str, value: int) -> int:
    """Return a visibility time-out or a delay; raises `QueueError`."""
    # [RSM-002]
    if type(value) is not int or not 0 <= value <= 9999999:
        raise QueueError("invalidValue", f"{item} must be a whole number between 0 and 9999999")
    return value


def check_maxsize(value: int) -> int:
    """Return a limit of message sizes; raises `QueueError`."""
    # [RSM-003]
    if type(value) is not int or (value != -1 and not 1024 <= value <= 65536):
        raise QueueError("invalidValue", "maxsize must be between 1024 and 65536, or -1 for no limit")
    return value


def size_of(message: object) -> int:
    """Return the size of a message in UTF-16 units, as JavaScript counts; raises `QueueError`."""
    # [RSM-004]
    if not isinstance(message, str):
        raise QueueError("messageNotString", "Message must be a string")
    return len(message.encode("utf-16-le", "surrogatepass")) // 2


def bytes_of(message: str) -> bytes:
    """Return the bytes of a message as JavaScript writes them: a surrogate alone becomes U+FFFD."""
    return message.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def random_part() -> str:
    """Return the part of an id that is left to chance."""
    return "".join(secrets.choice(_LETTERS) for _ in range(22))


def sent_at(id: str) -> float:
    """Return when a message was sent, in milliseconds, from its id."""
    return int(id[:10], 36) / 1000
