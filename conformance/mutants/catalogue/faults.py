"""Mutants of errors and security."""

from mutants.catalogue.mutant import Mutant

MUTANTS = (
    Mutant(
        "keeps-what-it-sent",
        "keeps a connection open that it handed over",
        ("SEC-006",),
        "            handle.close()  # it belongs",
        "            pass  # it belongs",
    ),
    Mutant(
        "keeps-strays",
        "leaves every descriptor open that no envelope claims",
        ("SEC-003", "HND-008"),
        "            self.close_strays()\n        if not data",
        "            self.descriptors = []\n        if not data",
    ),
    Mutant(
        "never-keeps-open",
        "closes a connection that is to be kept open",
        ("SEC-006",),
        ' and not ask.get("keepOpen"):',
        ":",
    ),
    Mutant(
        "keeps-copies-of-handles",
        "keeps a copy of every descriptor that it delivers",
        ("SEC-003",),
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))",
        "            self.user.message(message, kind, socket.socket(fileno=os.dup(descriptor)))",
    ),
    Mutant(
        "keeps-copies-of-udp-sockets",
        "keeps a copy of every UDP socket that it delivers",
        ("SEC-003",),
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))",
        '            if kind == "dgram.Socket":\n                descriptor = os.dup(descriptor)\n            self.user.message(message, kind, socket.socket(fileno=descriptor))',
    ),
    Mutant(
        "keeps-copies-of-received-servers",
        "keeps a copy of every server that it delivers",
        ("SEC-003",),
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))",
        '            if kind == "net.Server":\n                descriptor = os.dup(descriptor)\n            self.user.message(message, kind, socket.socket(fileno=descriptor))',
    ),
    Mutant(
        "keeps-copies-of-bare-handles",
        "keeps a copy of every bare handle that it delivers",
        ("SEC-003",),
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))",
        '            if kind == "net.Native":\n                descriptor = os.dup(descriptor)\n            self.user.message(message, kind, socket.socket(fileno=descriptor))',
    ),
    Mutant(
        "keeps-copies-of-bare-udp-sockets",
        "keeps a copy of every bare UDP socket that it delivers",
        ("SEC-003",),
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))",
        '            if kind == "dgram.Native":\n                descriptor = os.dup(descriptor)\n            self.user.message(message, kind, socket.socket(fileno=descriptor))',
    ),
    Mutant(
        "bad-lines-shift-descriptors",
        "keeps the descriptor of a line that is no JSON for the next envelope",
        ("ERR-003", "HND-038"),
        '            self.user.error("remote", "BAD_LINE", str(error))\n',
        '            self.user.error("remote", "BAD_LINE", str(error))\n            self.framer.buffer += b" "\n',
    ),
)
