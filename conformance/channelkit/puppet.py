"""The puppet child: hands the child's end of a channel to the runner and then obeys it.

Run as ``python -I -S puppet.py SOCKET``, by the subject, which is the parent. It says what it was started with,
passes its channel over the private unix socket SOCKET, and closes its own copy, so that the runner is the only
holder. Then it waits for one line: ``{"exit": 3}`` or ``{"signal": "SIGKILL"}``. The end of that socket means exit 0.
"""

import os
import sys


def _facts(channel: int | None) -> dict[str, object]:
    """What the child found when it started."""
    inherited = []
    for number in range(64):
        try:
            os.fstat(number)
        except OSError:
            continue
        inherited.append(number)
    return {
        "pid": os.getpid(),
        "env": {key: value for key, value in os.environ.items() if key.startswith("NODE_")},
        "inherited": inherited,
        "blocking": os.get_blocking(channel) if channel is not None else None,
        "argv": sys.argv[2:],
    }


def main() -> None:
    """Reports, hands over, obeys."""
    text = os.environ.get("NODE_CHANNEL_FD", "")
    channel = int(text) if text.isdecimal() else None
    try:
        facts = _facts(channel)
    except OSError:
        channel = None
        facts = _facts(None)
    import _socket  # the C half alone: `socket` costs several milliseconds of imports
    import json

    runner = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    runner.connect(sys.argv[1])
    rights = []
    if channel is not None:
        rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, channel.to_bytes(4, sys.byteorder))]
    runner.sendmsg([json.dumps(facts).encode() + b"\n"], rights)
    if channel is not None:
        os.close(channel)
    line = b""
    while not line.endswith(b"\n"):
        data = runner.recv(4096)
        if not data:
            os._exit(0)
        line += data
    order = json.loads(line)
    if "signal" in order:
        import signal

        number = getattr(signal, order["signal"])
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(order.get("exit", 0))


if __name__ == "__main__":
    main()
