"""Mutants of flow: which frames wait, and which must not wait."""

from mutants.catalogue.mutant import Mutant

MUTANTS = (
    Mutant(
        "delivers-twice",
        "delivers a plain message twice",
        ("FLO-003",),
        "        else:\n            self.user.message(message)\n",
        "        else:\n            self.user.message(message)\n            self.user.message(message)\n",
    ),
    Mutant(
        "keeps-the-latest",
        "forgets held frames when a newer frame comes",
        ("FLO-004",),
        "            self.held.append((encode(message, large), None))\n",
        "            self.held = [(encode(message, large), None)]\n",
    ),
    Mutant(
        "writes-before-it-reads",
        "stops reading while it has frames to write",
        ("FLO-001",),
        "poller.register(one.end, select.POLLIN | (select.POLLOUT if one.outgoing else 0))",
        "poller.register(one.end, select.POLLOUT if one.outgoing else select.POLLIN)",
    ),
    Mutant(
        "drops-early-messages",
        "drops the bytes that have arrived before it opens the channel",
        ("FLO-002",),
        "        self.channel = Channel(end, self)\n",
        "        self.channel = Channel(end, self)\n        if select.select([end], [], [], 0.05)[0]:\n            end.recv(65536)\n",
    ),
    Mutant(
        "writes-256",
        "stops writing after 256 messages",
        ("FLO-004", "FRM-009"),
        "            self.held.append((encode(message, large), None))\n",
        '            self.count = getattr(self, "count", 0) + 1\n            if self.count <= 256:\n                self.held.append((encode(message, large), None))\n',
        "parent",
    ),
    Mutant(
        "sixteen-without-room",
        "has room for sixteen messages that the kernel does not take",
        ("FLO-004",),
        "        self.outgoing.append((memoryview(frame), descriptor))\n",
        "        if len(self.outgoing) < 16:\n            self.outgoing.append((memoryview(frame), descriptor))\n",
    ),
    Mutant(
        "a-million-bytes-wait",
        "drops a message when a million bytes wait",
        ("FLO-004",),
        "        self.outgoing.append((memoryview(frame), descriptor))\n",
        "        if sum(len(data) for data, _one in self.outgoing) < 1000000:\n            self.outgoing.append((memoryview(frame), descriptor))\n",
    ),
    Mutant(
        "splits-long-messages",
        "writes a long string as two messages",
        ("FLO-005", "FRM-008", "JSN-005"),
        "            self.held.append((encode(message, large), None))\n",
        "            parts = [message[:100000], message[100000:]] if isinstance(message, str) and len(message) > 100000 else [message]\n            self.held += [(encode(one, large), None) for one in parts]\n",
    ),
    Mutant(
        "stops-at-a-thousand",
        "reads no more after a thousand messages that its user has not answered",
        ("FLO-001", "FRM-021"),
        "        for line in self.framer.feed(data):\n",
        "        self.lines = getattr(self, 'lines', 0)\n        for line in self.framer.feed(data):\n            self.lines += 1\n            if self.lines > 1000:\n                continue\n",
    ),
)
