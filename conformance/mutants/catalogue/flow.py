"""Mutants of flow: what waits, and what must not."""

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
        "forgets what it holds back when there is something newer",
        ("FLO-004",),
        "            self.held.append((encode(message, large), None))\n",
        "            self.held = [(encode(message, large), None)]\n",
    ),
    Mutant(
        "writes-before-it-reads",
        "reads nothing as long as it has something to write",
        ("FLO-001",),
        "poller.register(one.end, select.POLLIN | (select.POLLOUT if one.outgoing else 0))",
        "poller.register(one.end, select.POLLOUT if one.outgoing else select.POLLIN)",
    ),
    Mutant(
        "drops-early-messages",
        "throws away what has arrived when it opens the channel",
        ("FLO-002",),
        "        self.channel = Channel(end, self)\n",
        "        self.channel = Channel(end, self)\n        if select.select([end], [], [], 0.05)[0]:\n            end.recv(65536)\n",
    ),
    Mutant(
        "writes-256",
        "writes nothing after 256 messages",
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
)
