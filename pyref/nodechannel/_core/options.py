"""The options of a channel, for type checkers: to import `typing` takes as long as importing this package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from nodechannel._core.serialization import Serialization


class ChannelOptions(TypedDict, total=False):
    """The options of a channel.

    Attributes:
        unsafe_integers: send integers beyond 2**53 - 1, which a JavaScript peer rounds, instead of refusing them ([JSN-007]).
        allow_nan: send NaN and the infinities as null, as `JSON.stringify` does ([JSN-002]); the default. Without it they are refused.
        max_line: bytes of the longest line or frame that is accepted ([SEC-002]); 536,870,888 if not given. A longer line ends the channel.
        default: called with a value that the serialization does not know; returns the value that is sent in its place. Its exceptions leave
            `send`.
        raw: keep the bytes of each message as its `raw`.
        object_hook: called with each plain object of a message, inner objects first, when its `data` is first asked for; what it returns
            stands in the place of the object, as with `json.loads`. Its exceptions leave that access to `data`.
        linger: seconds that the end of a `with` block and the end of the program wait for the peer to take the messages; as long as the
            peer lives if not given. The loss is told: by `TimeoutError` at the end of the block, else by a `RuntimeWarning`.

    With the serialization ``advanced`` the first two have no meaning: it carries NaN as it is, and large integers as BigInt.
    """

    unsafe_integers: bool
    allow_nan: bool
    max_line: int
    default: Callable[[Any], Any] | None
    raw: bool
    object_hook: Callable[[dict[str, Any]], Any] | None
    linger: float | None


class OpenOptions(ChannelOptions, total=False):
    """The options of a channel whose serialization is not in the environment.

    Attributes:
        serialization: how messages become bytes: ``json`` if not given, or ``advanced``, or an object.
    """

    serialization: str | Serialization
