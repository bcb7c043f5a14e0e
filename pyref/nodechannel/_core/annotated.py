"""Messages with their bytes, or with objects that a function of the user makes: for channels that were asked for it.

Channels without these options make their messages without a look at them.
"""

from __future__ import annotations

from nodechannel._core.message import ReceivedMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from nodechannel._core.message import Message
    from nodechannel._core.options import ChannelOptions
    from nodechannel._core.serialization import Body

    ObjectHook = Callable[[dict[str, Any]], Any]


class HookedMessage(ReceivedMessage):
    """A message whose `data` is made when it is first asked for, so that an exception of the hook leaves the user's own code."""

    __slots__ = ("_hook", "_plain")

    def __init__(self, plain: Any, hook: ObjectHook) -> None:
        self._plain = plain
        self._hook = hook

    def __getattr__(self, name: str) -> Any:
        # Called as long as `data` has no value.
        if name != "data":
            raise AttributeError(name)
        self.data = apply(self._hook, self._plain)
        return self.data


class Annotation:
    """The additions of a channel to its messages.

    Args:
        raw: whether messages keep their bytes.
        hook: called with each object of a message.
    """

    __slots__ = ("_hook", "_raw")

    def __init__(self, *, raw: bool, hook: ObjectHook | None) -> None:
        self._raw, self._hook = raw, hook

    def of(self, message: Message, body: Body) -> Message:
        """Return a message with all that was asked for, made of a plain message and the bytes that it came in."""
        if self._hook is not None:
            plain, message = message, HookedMessage(message.data, self._hook)
            message.handle = plain.handle
        if self._raw and message.handle is None:  # around the message of a handle stands an envelope
            message._raw = bytes(body)
        return message


def annotation(options: ChannelOptions) -> Annotation | None:
    """Return the additions that the options of a channel ask for, or None."""
    raw, hook = options.get("raw", False), options.get("object_hook")
    return Annotation(raw=raw, hook=hook) if raw or hook is not None else None


def apply(hook: ObjectHook, value: Any) -> Any:
    """Return a value after the hook has seen each plain object in it, inner objects first; without recursion.

    In a cycle, which only the serialization `advanced` can carry, the inner object keeps the outer object as it was.
    """
    # Each container that was entered, with its replacement. The container is kept so that its identity is not used twice.
    made: dict[int, tuple[Any, Any]] = {}
    waiting: list[tuple[Any, bool]] = [(value, False)]
    while waiting:
        container, complete = waiting.pop()
        if complete:
            _replace_members(container, made)
            if type(container) is dict:
                made[id(container)] = container, hook(container)
        elif _is_container(container) and id(container) not in made:
            made[id(container)] = container, container
            waiting.append((container, True))
            members = container.values() if type(container) is dict else container
            waiting.extend((member, False) for member in members)
    return made[id(value)][1] if id(value) in made else value


def _is_container(value: Any) -> bool:
    return type(value) is dict or isinstance(value, list)


def _replace_members(container: Any, made: dict[int, tuple[Any, Any]]) -> None:
    members = container.items() if type(container) is dict else enumerate(container)
    for key, member in list(members):
        if _is_container(member):
            container[key] = made[id(member)][1]
