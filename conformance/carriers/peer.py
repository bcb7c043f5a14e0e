"""A small correct peer for the cases of carriers, without any package: `peer.py lines`, `peer.py headers`, `peer.py node-ipc PATH`.

It answers each message with its record of it, and each fault with an error. `mutants.py` breaks it in many small ways.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys

NEWS = ("start", "connect", "disconnect", "destroy", "close", "socket.disconnected", "error", "data")
BLANK = b" \t\r\n"


def refuse(word):
    """Raise `ValueError` for a word that is no JSON."""
    raise ValueError(word)


def parse(text):
    """Return the value of a JSON text; raises `ValueError`."""
    return json.loads(text.decode("utf-8", "replace"), parse_constant=refuse)


def dump(value):
    """Return a JSON text that any reader of lines can cut."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode("utf-8", "surrogatepass")


class Lines:
    """A JSON text a line."""

    def __init__(self):
        self.rest = b""

    def feed(self, data):
        """Yield the complete messages: values in lists, and None for a fault."""
        self.rest += data
        while b"\n" in self.rest:
            line, self.rest = self.rest.split(b"\n", 1)
            if line.strip(BLANK):
                yield attempt(line)

    def end(self):
        """Yield None for a message that has no end."""
        if self.rest.strip(BLANK):
            yield None

    def frame(self, value):
        """Return the bytes of a value."""
        return dump(value) + b"\n"


class Headers:
    """`Content-Length`, a blank line, a body."""

    def __init__(self):
        self.rest, self.length, self.body = b"", None, False

    def feed(self, data):
        """Yield what is complete."""
        self.rest += data
        while True:
            if self.body:
                if len(self.rest) < self.length:
                    return
                body, self.rest = self.rest[: self.length], self.rest[self.length :]
                self.length, self.body = None, False
                yield attempt(body)
            elif b"\n" in self.rest:
                line, self.rest = self.rest.split(b"\n", 1)
                yield from self.header(line.rstrip(b"\r"))
            else:
                return

    def header(self, line):
        """Take a line between two bodies."""
        if not line:
            self.body = self.length is not None
        elif found := re.fullmatch(rb"content-length[ \t]*:[ \t]*([0-9]+)[ \t]*", line, re.IGNORECASE):
            self.length = int(found[1])
        elif found := re.search(rb"Content-Length: ([0-9]+)$", line):
            yield None
            self.length = int(found[1])
        elif not re.fullmatch(rb"[A-Za-z-]+[ \t]*:.*", line) or line.lower().startswith(b"content-length"):
            yield None

    def end(self):
        """Yield None for a message that has no end."""
        if self.length is not None or self.rest.strip(BLANK):
            yield None

    def frame(self, value):
        """Return the bytes of a value."""
        body = dump(value)
        return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class NodeIpc:
    """An event and a form feed."""

    def __init__(self):
        self.rest = b""

    def feed(self, data):
        """Yield what is complete."""
        self.rest += data
        while b"\f" in self.rest:
            frame, self.rest = self.rest.split(b"\f", 1)
            found = attempt(frame)
            yield [as_event(found[0])] if found and is_event(found[0]) else None

    def end(self):
        """Yield None for an event that has no end."""
        if self.rest:
            yield None

    def frame(self, value):
        """Return the bytes of an answer."""
        return dump({"type": "answer", "data": value}) + b"\f"


def is_event(value):
    """Tell whether a value is an event that a peer may send."""
    return isinstance(value, dict) and isinstance(value.get("type"), str) and value["type"] not in NEWS


def as_event(value):
    """Return the type and the data of an event."""
    return {"type": value["type"], "data": value.get("data")}


def attempt(text):
    """Return the value of a text in a list, or None."""
    try:
        return [parse(text)]
    except (ValueError, RecursionError):
        return None


def answer(found):
    """Return the report about a message or a fault."""
    return {"error": True} if found is None else {"seen": found[0]}


def serve(framing, read, write):
    """Answer until the end."""
    while data := read():
        for found in framing.feed(data):
            write(framing.frame(answer(found)))
    for found in framing.end():
        write(framing.frame(answer(found)))


def main(carrier, path=""):
    """Serve a conversation."""
    if carrier != "node-ipc":
        framing = Lines() if carrier == "lines" else Headers()
        serve(framing, lambda: os.read(0, 65536), sys.stdout.buffer.write)
        return
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o600)  # noqa: PTH101 (no other import)
        listener.listen()
        print("ready", flush=True)
        conversation = listener.accept()[0]
        with conversation:
            serve(NodeIpc(), lambda: conversation.recv(65536), conversation.sendall)


if __name__ == "__main__":
    main(*sys.argv[1:])
