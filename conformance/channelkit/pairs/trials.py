"""The trials of a pair: exchanges between its two ends. ``down`` is from parent to child, ``up`` from child to parent."""

import contextlib
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from channelkit.pairs.pair import End, Pair, TrialFailed
from channelkit.wire.compare import equal
from channelkit.wire.modes import ADVANCED
from channelkit.wire.values import show, untag

VALUES: tuple[object, ...] = (
    None,
    True,
    0,
    -1.5,
    1e300,
    2**53 - 1,
    "",
    "a\n\u2028\0é😀",
    [],
    {},
    [[], {"a": [None]}],
)
CLONES: tuple[tuple[str, object], ...] = (
    ("bigint", "-18446744073709551616"),
    ("date", 5),
    ("regexp", ["a+", "gi"]),
    ("boxed", "x"),
    ("map", [[1, "a"], ["1", [None]]]),
    ("set", [1, "1", True]),
    ("array", [9, [["2", "a"], ["x", 1]]]),
    ("arraybuffer", "00ff"),
    ("view", ["Buffer", "00ff"]),
    ("view", ["Float64Array", "000000000000f83f"]),
    ("number", "-0"),
    ("number", "NaN"),
)
"""Values that only the mode ``advanced`` has, by their tags."""
_LARGE = 1 << 20
_MANY = 100


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial. ``needs`` are the capabilities of the sender and of the receiver; ``ends``: the channel is gone afterwards."""

    id: str
    title: str
    rules: tuple[str, ...]
    run: Callable[[Pair], None]
    needs: tuple[tuple[str, str], ...] = ()
    """Role and capability."""
    ends: bool = False
    mode: str | None = None
    """The mode that alone has such messages; None where each has them."""


def _deliver(sender: End, receiver: End, messages: Iterable[object]) -> None:
    sent = list(messages)
    for message in sent:
        sender.command(command="send", message=message)
    for message in sent:
        _expect(receiver, message)


def _expect(receiver: End, message: object, type_: str | None = None) -> str:
    """The next event delivers ``message``, with a handle of ``type_`` if any; returns the name of the handle."""
    event = receiver.event("message")
    handle = event.get("handle")
    if not equal(message, event.get("message")):
        raise TrialFailed("unexpected", f"{show(message)} arrived as {show(event)}")
    if (handle or {}).get("type") != type_:
        raise TrialFailed("unexpected", f"a handle of type {type_} arrived as {show(event)}")
    return handle["name"] if handle else ""


def _values(sender: End, receiver: End) -> None:
    for value in VALUES:
        _deliver(sender, receiver, [value])


def _clones(sender: End, receiver: End) -> None:
    for tag, value in CLONES:
        message = {"clone": {"$": tag, "v": value}}
        sender.command(command="send", message=message)
        _expect(receiver, untag(message))


def _looks_internal(sender: End, receiver: End) -> None:
    _deliver(
        sender, receiver, [{"cmd": "NODE_"}, {"cmd": "node_"}, {"CMD": "NODE_HANDLE"}, [{"cmd": "NODE_X"}]]
    )


def _burst(sender: End, receiver: End) -> None:
    _deliver(sender, receiver, ({"number": number} for number in range(_MANY)))


def _large(sender: End, receiver: End) -> None:
    _deliver(sender, receiver, ["é" * _LARGE])


def _send_made(sender: End, receiver: End, kind: str, type_: str, to: str | None = None) -> tuple[str, str]:
    """Lets the sender make and send a socket; returns its address and the receiver's name for it."""
    name = f"{kind} of the {sender.role}"
    extra = {} if to is None else {"to": to}
    address = sender.command(command="make", kind=kind, name=name, **extra).get("address", "")
    sender.command(command="send", message={"take": kind}, handle=name)
    return address, _expect(receiver, {"take": kind}, type_)


def _server(sender: End, receiver: End, pair: Pair) -> None:
    address, name = _send_made(sender, receiver, "tcp-server", "net.Server")
    sender.command(command="close", handle=f"tcp-server of the {sender.role}")
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as client:
        receiver.command(command="prove", handle=name, text="from the server")
        _read(pair, client, b"from the server")


def _socket(sender: End, receiver: End, pair: Pair) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        to = "{}:{}".format(*server.getsockname())
        _address, name = _send_made(sender, receiver, "tcp-client", "net.Socket", to)
        with server.accept()[0] as other:
            receiver.command(command="prove", handle=name, text="through the connection")
            _read(pair, other, b"through the connection")


def _udp(sender: End, receiver: End, pair: Pair) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        _address, name = _send_made(sender, receiver, "udp4", "dgram.Socket")
        receiver.command(
            command="prove", handle=name, text="datagram", to="{}:{}".format(*other.getsockname())
        )
        _read(pair, other, b"datagram")


def _read(pair: Pair, end: socket.socket, text: bytes) -> None:
    end.setblocking(False)
    found = bytearray()

    def done() -> bool:
        with contextlib.suppress(BlockingIOError):
            data = end.recv(len(text))
            found.extend(data)
            return not data or len(found) >= len(text)
        return False

    pair.wait(done, pair.limits.answer, end.fileno())
    if found != text:
        raise TrialFailed(
            "unreached", f"{text!r} was written through the handle; what came is {bytes(found)!r}"
        )


def _order(sender: End, receiver: End) -> None:
    """A handle between plain messages: all arrive in order."""
    name = f"between, from the {sender.role}"
    sender.command(command="make", kind="tcp-server", name=name)
    numbers = [sender.control.ask({"command": "send", "message": "before"})]
    numbers.append(sender.control.ask({"command": "send", "message": "with", "handle": name}))
    numbers.append(sender.control.ask({"command": "send", "message": "behind"}))
    for message, type_ in (("before", None), ("with", "net.Server"), ("behind", None)):
        _expect(receiver, message, type_)
    for number in numbers:
        sender.settle(number)


def _crossing(pair: Pair) -> None:
    """Both send a handle at the same time."""
    both = (pair.parent, pair.child)
    for end in both:
        end.command(command="make", kind="tcp-server", name=f"crossing, from the {end.role}")
    numbers = [
        end.control.ask({"command": "send", "message": end.role, "handle": f"crossing, from the {end.role}"})
        for end in both
    ]
    for sender, receiver in (both, both[::-1]):
        _expect(receiver, sender.role, "net.Server")
    for end, number in zip(both, numbers, strict=True):
        end.settle(number)


def _disconnect(first: End, second: End, pair: Pair) -> None:
    """An end disconnects behind a message. The far end gets the message, then both report the end, and the child's status is reported."""
    first.command(command="send", message="last")
    first.command(command="disconnect")
    _expect(second, "last")
    for end in (second, first):
        end.event("disconnect")
    pair.child.control.ask({"command": "exit", "code": 3})
    event = pair.parent.event("exit")
    if event.get("code") != 3:
        raise TrialFailed("unexpected", f"the child ended with status 3; the parent reported {show(event)}")


def _both_ways(
    name: str,
    title: str,
    rules: tuple[str, ...],
    run: Callable[..., None],
    type_: str = "",
    *,
    whole: bool = False,
    ends: bool = False,
    mode: str | None = None,
) -> list[Trial]:
    """The trial in both directions. ``whole``: it also needs the pair."""

    def trial(way: str, sender: str, receiver: str) -> Trial:
        def act(pair: Pair) -> None:
            run(getattr(pair, sender), getattr(pair, receiver), *([pair] if whole else []))

        needs = ((sender, f"send:{type_}"), (receiver, f"receive:{type_}")) if type_ else ()
        return Trial(f"{name}-{way}", f"{title}, {sender} to {receiver}", rules, act, needs, ends, mode)

    return [trial("down", "parent", "child"), trial("up", "child", "parent")]


TRIALS: tuple[Trial, ...] = (
    *_both_ways(
        "values", "Every kind of value arrives as it was sent", ("JSN-004", "JSN-005", "JSN-020"), _values
    ),
    *_both_ways(
        "clones",
        "Every kind of value beyond JSON arrives as it was sent",
        ("ADV-020",),
        _clones,
        mode=ADVANCED.mode,
    ),
    *_both_ways("internal", "What only looks internal arrives", ("CLS-002",), _looks_internal),
    *_both_ways("burst", "A hundred messages arrive in order", ("FRM-009", "FRM-021"), _burst),
    *_both_ways("large", "A message of 2 MiB arrives", ("FRM-008", "FRM-023"), _large),
    *_both_ways(
        "server",
        "A listening socket arrives and accepts",
        ("HND-034", "HND-038"),
        _server,
        "net.Server",
        whole=True,
    ),
    *_both_ways(
        "socket",
        "A connection arrives and carries data",
        ("HND-034", "HND-038"),
        _socket,
        "net.Socket",
        whole=True,
    ),
    *_both_ways(
        "udp", "A UDP socket arrives and sends", ("HND-007", "HND-038"), _udp, "dgram.Socket", whole=True
    ),
    *_both_ways(
        "order",
        "A handle between messages arrives in its place",
        ("HND-010", "HND-020", "HND-031"),
        _order,
        "net.Server",
    ),
    Trial(
        "crossing",
        "Both send a server at the same time",
        ("HND-019",),
        _crossing,
        tuple((role, f"{verb}:net.Server") for role in ("parent", "child") for verb in ("send", "receive")),
    ),
    *_both_ways(
        "disconnect",
        "A disconnect follows the last message and ends both",
        ("LIF-001", "LIF-004", "LIF-010", "LIF-011", "LIF-020"),
        _disconnect,
        whole=True,
        ends=True,
    ),
)
