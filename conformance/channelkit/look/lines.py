"""A readable line per message, with colours where a terminal shows them."""

from channelkit.look.messages import ANSWER, BAD, END, HANDLE, INTERNAL, NOTE, USER, Message
from channelkit.tap.record import DOWN
from channelkit.wire.visible import visible

_COLOURS = {USER: "", INTERNAL: "36", HANDLE: "35", ANSWER: "32", BAD: "31", END: "33", NOTE: "33"}
_RED = "1;31"


def line(message: Message, *, colours: bool) -> str:
    """The line of a message."""
    arrow = "→" if message.way == DOWN else "←"
    parts = [f"{message.time / 1e6:11.6f} {arrow} {visible(message.text)}"]
    parts += [f"+[{one}]" for one in message.descriptors]
    if message.answers >= 0:
        parts.append(f"({message.latency / 1000:.3f} ms)")
    if message.kind == USER and message.size > len(message.text) + 1:
        parts.append(f"({message.size} bytes)")
    text = _coloured(" ".join(parts), _COLOURS[message.kind], colours=colours)
    faults = [
        _coloured(f"{'':13} {one.rule} {one.level}: {visible(one.text)}", _RED, colours=colours)
        for one in message.violations
    ]
    return "\n".join([text, *faults])


def _coloured(text: str, colour: str, *, colours: bool) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if colours and colour else text
