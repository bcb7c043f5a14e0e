"""The puppet child: hands the child's end of a channel to the runner and then obeys it.

Run as ``python -I -S puppet.py SOCKET [word…]`` by the subject, which is the parent. The puppet connects to the
private unix socket SOCKET. It reports its environment and its descriptors, as a JSON text and LF, and passes its channel.
Then it closes its own copy, so that only the runner holds the channel. It waits for a line, ``exit 3`` or ``signal 9``, and
answers ``obeys``, which shows that its parent did not end it earlier. The end of the socket means exit 0.
With the word ``bystander`` the puppet passes no channel: its report shows whether a process inherits parts of a channel.

The puppet starts once per case. So it uses private C modules: `socket`, `signal` and `json` cost more than the rest together.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import os
import sys

_HIGHEST = 64
"""Descriptors below this number are looked at."""


def _facts(channel: int | None) -> dict[str, object]:
    """The report of the child about its start."""
    inherited = [number for number in range(_HIGHEST) if _is_open(number)]
    return {
        "pid": os.getpid(),
        "env": {
            key: value
            for key, value in os.environ.items()
            if key.startswith(("NODE_CHANNEL_", "NODE_UNIQUE_ID"))
        },
        "entries": sorted(entry for entry in _block() if entry.startswith("NODE_CHANNEL_")),
        "inherited": inherited,
        "blocking": os.get_blocking(channel) if channel in inherited else None,
        "socket": _kind(channel) if channel in inherited else None,
        "plain": channel is not None and os.environ["NODE_CHANNEL_FD"] == str(channel),
        "argv": sys.argv[2:],
    }


def _json(value: object) -> str:
    """A JSON text. Importing ``json`` costs more than the rest of this program."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, str):
        units = value.encode("utf-16-be", "surrogatepass")
        codes = [units[at] << 8 | units[at + 1] for at in range(0, len(units), 2)]
        return '"' + "".join(f"\\u{code:04x}" for code in codes) + '"'
    return "null" if value is None else str(value).lower()  # numbers and booleans are left


def _block() -> list[str]:
    """The environment as the kernel gave it, in which a name can have two entries, where the system shows it."""
    try:
        with open("/proc/self/environ", encoding="utf-8", errors="replace") as block:  # noqa: PTH123 (pathlib is slow)
            return block.read().split("\0")
    except OSError:
        return [f"{key}={value}" for key, value in os.environ.items()]


def _kind(number: int | None) -> str | None:
    """Family and type of a socket, ``unix stream`` for a good channel; None when the descriptor is no socket."""
    try:
        end = _socket.socket(fileno=number)
    except OSError:
        return None
    family = {_socket.AF_UNIX: "unix", _socket.AF_INET: "inet"}.get(end.family, f"family {end.family}")
    kind = {_socket.SOCK_STREAM: "stream", _socket.SOCK_DGRAM: "dgram"}.get(end.type, f"type {end.type}")
    end.detach()
    return f"{family} {kind}"


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _obey(order: str, number: int) -> None:
    if order == "signal":
        if number not in (_signal.SIGKILL, _signal.SIGSTOP):
            _signal.signal(number, _signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(number if order == "exit" else 0)


def main() -> None:
    """Reports, hands over, obeys."""
    text = os.environ.get("NODE_CHANNEL_FD", "")
    channel = int(text) if text.isdecimal() and "bystander" not in sys.argv[2:] else None
    facts = _facts(channel)
    rights = []
    if facts["blocking"] is not None and channel is not None:
        rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, channel.to_bytes(4, sys.byteorder))]
    runner = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    runner.connect(sys.argv[1])
    runner.sendmsg([_json(facts).encode() + b"\n"], rights)
    if rights and channel is not None:
        os.close(channel)
    line = b""
    while not line.endswith(b"\n"):
        data = runner.recv(4096)
        if not data:
            os._exit(0)
        line += data
    order, number = line.split()
    runner.sendall(b"obeys\n")
    _obey(order.decode(), int(number))


if __name__ == "__main__":
    main()
