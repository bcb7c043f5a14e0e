"""A driven child of rung 2 in a single file. Its argument is the name of its lie, see below; without an argument it is honest."""

import json
import os
import select
import socket
import sys

LIE = sys.argv[1] if len(sys.argv) > 1 else ""
channel = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"]))
handles: dict[str, socket.socket] = {}
buffer = b""
arrived: list[int] = []


def say(value: object) -> None:
    print(json.dumps(value), flush=True)


def frame(value: object) -> None:
    channel.sendall(json.dumps(value).encode() + b"\n")


def on_line(line: bytes) -> None:
    message = json.loads(line)
    envelope = isinstance(message, dict) and message.get("cmd") == "NODE_HANDLE"
    if not envelope:
        say({"event": "message", "message": message})
        return
    name = f"h{len(handles) + 1}"
    handles[name] = socket.socket(fileno=arrived.pop(0))
    if LIE != "never-acks":
        frame({"cmd": "NODE_HANDLE_ACK"})
    say({"event": "message", "message": message["msg"], "handle": {"name": name, "type": message["type"]}})


def on_channel() -> bool:
    global buffer  # noqa: PLW0603
    data, descriptors, _flags, _address = socket.recv_fds(channel, 65536, 8)
    buffer += data
    arrived.extend(descriptors)
    while b"\n" in buffer:
        line, _, buffer = buffer.partition(b"\n")
        on_line(line)
    if not data and LIE != "never-disconnects":
        say({"event": "disconnect"})
    return bool(data)


def on_command(text: str) -> None:
    ask = json.loads(text)
    command, number = ask["command"], ask["id"]
    if LIE == "garbage":
        print("garbage", flush=True)
    elif command == "hello":
        facts = {"name": "driven", "version": "1", "language": "Python", "roles": ["child"], "rung": 2}
        if LIE == "no-language":
            del facts["language"]
        can = [] if LIE == "no-handles" else ["receive:net.Socket"]
        say({"id": number, "ok": True, "contract": 1, "capabilities": can, **facts})
    elif command == "open":
        say({"id": number, "ok": True})
    elif command == "send":
        if ask["message"] == "forbidden":
            say({"id": number, "ok": False, "error": {"blame": "local", "code": "E", "text": "no"}})
            return
        frame(ask["message"])
        say({"id": number, "ok": True})
    elif command == "prove":
        handles[ask["handle"]].sendall(b"lie" if LIE == "wrong-bytes" else ask["text"].encode())
        say({"id": number, "ok": True})
    elif command == "exit":
        sys.exit(ask["code"])
    elif LIE == "knows-everything":
        say({"id": number, "ok": True})
    else:
        say({"id": number, "ok": False, "unsupported": True})


connected = True
while True:
    ready, _, _ = select.select([0, channel.fileno()] if connected else [0], [], [])
    if channel.fileno() in ready:
        connected = on_channel()
    if 0 in ready:
        text = os.read(0, 65536).decode()
        if not text:
            sys.exit(0)
        for each in text.splitlines():
            on_command(each)
