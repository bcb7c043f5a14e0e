"""A hostile subject. Its first argument names its attack; without an argument it is an honest echo child."""

import json
import os
import signal
import socket
import sys
import time

ATTACK = sys.argv[1] if len(sys.argv) > 1 else ""
HELLO = {
    "name": "hostile",
    "version": "1",
    "language": "Python",
    "roles": ["child"],
    "rung": 2,
    "contract": 1,
}
channel = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"]))


def flood(descriptor: int, data: bytes) -> None:
    """Write without end."""
    while True:
        os.write(descriptor, data)


def descriptors() -> None:
    """Send many descriptors on each line."""
    numbers = [os.dup(2) for _ in range(200)]
    while True:
        socket.send_fds(channel, [b'{"more":1}\n'], numbers)


def daemon() -> None:
    """Leave a process behind that is in no group of the kit's."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.wait()


def trickle() -> None:
    """Write a byte now and then: slow, and never done."""
    while True:
        channel.send(b" ")
        time.sleep(0.05)


def say(text: str) -> None:
    """Write a line to the kit."""
    os.write(1, text.encode("utf-8", "surrogatepass") + b"\n")


def greet(**more: object) -> None:
    """Answer the hello, and the next command as unsupported."""
    ask = json.loads(sys.stdin.readline())
    say(json.dumps({"id": ask["id"], "ok": True, "capabilities": [], **HELLO, **more}))
    ask = json.loads(sys.stdin.readline())
    say(json.dumps({"id": ask["id"], "ok": False, "unsupported": True}))


def reply(text: str) -> None:
    """Answer the first command with any text."""
    sys.stdin.readline()
    say(text)
    time.sleep(600)


def closes_stdout() -> None:
    """End the control channel in the middle of a reply."""
    sys.stdin.readline()
    os.write(1, b'{"id":1,"o')
    os.close(1)
    time.sleep(600)


CONTROLS = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e<script>alert(1)</script>]]>|`**"


def strange_name() -> None:
    """Have a name and a version that are no text for people, and open the channel."""
    greet(version="\ud800" + CONTROLS, name="n" * 3_000_000)
    say(json.dumps({"id": json.loads(sys.stdin.readline())["id"], "ok": True}))


def mute_behind_hello() -> None:
    """Answer no command but the first two."""
    greet()
    time.sleep(600)


ATTACKS = {
    "floods": lambda: flood(channel.fileno(), b'{"a":"' + b"x" * 60000 + b'"}\n'),
    "floods-small": lambda: flood(channel.fileno(), b"1\n" * 30000),
    "floods-without-lf": lambda: flood(channel.fileno(), b"[" * 60000),
    "floods-stderr": lambda: flood(2, b"e" * 60000),
    "descriptors": descriptors,
    "trickles": trickle,
    "daemon": daemon,
    "stops-group": lambda: os.kill(0, signal.SIGSTOP),
    "kills-group": lambda: os.kill(0, signal.SIGKILL),
    "controls": lambda: channel.sendall(json.dumps({"a": CONTROLS}, ensure_ascii=False).encode() + b"\n"),
    "controls-stderr": lambda: os.write(2, CONTROLS.encode() + b"\xff\n") and sys.exit(3),
    "bad-utf8": lambda: channel.sendall(b'{"a":"\xff\xfe\xed\xa0\x80"}\n'),
    "deep": lambda: channel.sendall(b"[" * 100_000 + b"]" * 100_000 + b"\n"),
    "probe-list": lambda: channel.sendall(b'{"echo":{"probe":[]}}\n{"echo":{"probe":1e999}}\n'),
    "adapter-floods": lambda: flood(1, b'{"event":"x","more":"' + b"x" * 60000 + b'"}\n'),
    "adapter-floods-small": lambda: flood(1, b'{"event":"x"}\n' * 4000),
    "adapter-floods-without-lf": lambda: flood(1, b"[" * 60000),
    "reply-infinite-id": lambda: reply('{"id":1e999,"ok":true}'),
    "reply-long-id": lambda: reply('{"id":' + "9" * 20000 + ',"ok":true}'),
    "reply-nan": lambda: reply('{"id":NaN,"ok":true}'),
    "reply-deep": lambda: reply('{"id":1,"ok":' + "[" * 100_000 + "]" * 100_000 + "}"),
    "reply-list-tag": lambda: reply(
        '{"id":1,"ok":true,"x":{"$":"number","v":[]},"y":{"$":"object","v":[[[],1]]}}'
    ),
    "reply-surrogate-tag": lambda: reply('{"id":1,"ok":true,"x":{"$":"\ud800"}}'),
    "hello-surrogate": strange_name,
    "hello-bad-capabilities": lambda: greet(capabilities=[1, {"a": []}]),
    "hello-then-mute": mute_behind_hello,
    "closes-stdout": closes_stdout,
}

if ATTACK:
    try:
        ATTACKS[ATTACK]()
    except (BrokenPipeError, ConnectionResetError):
        sys.exit(0)

buffer = b""
while data := channel.recv(65536):
    buffer += data
    *lines, buffer = buffer.split(b"\n")
    for line in lines:
        channel.sendall(b'{"echo":' + line + b"}\n")
