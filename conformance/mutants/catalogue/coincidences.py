"""Mutants that are right at first: the fault shows in a state, at a size, or when two things meet."""

from mutants.catalogue.mutant import Mutant

_DEAD_LINE = '            self.user.error("remote", "BAD_LINE", str(error))\n            return\n'
_TAKE_LINES = "        for line in self.framer.feed(data):\n            self.take(line)\n"
_ACCEPTED = "        descriptor = self.descriptors.pop(0)\n        self.write(ACK)\n"
_SENT = "            handle.close()  # it belongs"
_CLOSE = (
    "        descriptor = handle.fileno()\n        handle.close()\n        self.channel.connection_closed"
)
_LEAVE = '        """Ends the channel once all sent messages are settled."""\n'
_ECHO = '            self.channel.send({"echo": finite(message)}, large=True)\n'
_KEYED = '            if kind == "net.Socket" and envelope.get("key"):\n'
_OFFERED = '        self.channel.say(ack=message["seq"], accepted=accepted)\n'
_NEW_NUMBER = '        message = {"cmd": NODE_CLUSTER, **members, "seq": number}\n'
_OBEY_WORKER = '        """One message."""\n        if not (isinstance(value, dict) and value.get("cmd") == NODE_CLUSTER):\n            self.obey_user(value)\n'
_MODES = 'os.environ.pop("NODE_CHANNEL_SERIALIZATION_MODE", "") not in ("", "json")'

BOOTSTRAP = (
    Mutant(
        "modes-in-any-case",
        "takes JSON in capitals for the mode json",
        ("BOO-005",),
        _MODES,
        _MODES.replace(" not in", ".lower() not in"),
    ),
    Mutant(
        "modes-by-beginning",
        "takes any mode that begins like json for json",
        ("BOO-005",),
        _MODES,
        'os.environ.pop("NODE_CHANNEL_SERIALIZATION_MODE", "")[:4] not in ("", "json")',
    ),
    Mutant(
        "modes-without-blanks",
        "leaves out the blanks around a mode",
        ("BOO-005",),
        _MODES,
        'os.environ.pop("NODE_CHANNEL_SERIALIZATION_MODE", "").strip() not in ("", "json")',
    ),
)

FRAMES = (
    Mutant(
        "last-byte-of-a-full-read",
        "loses the last byte of a read that fills its buffer",
        ("FRM-020", "FRM-023"),
        _TAKE_LINES,
        "        data = data[:-1] if len(data) == 65536 else data\n" + _TAKE_LINES,
    ),
    Mutant(
        "bad-line-takes-half-a-line",
        "drops the unfinished line behind a bad line",
        ("FRM-026",),
        _DEAD_LINE,
        _DEAD_LINE.replace(
            "            return", "            self.framer.buffer.clear()\n            return"
        ),
    ),
    Mutant(
        "ten-bad-lines-end-it",
        "ends the channel at the tenth bad line",
        ("FRM-026",),
        _DEAD_LINE,
        _DEAD_LINE.replace(
            "            return",
            '            self.bad = getattr(self, "bad", 0) + 1\n            if self.bad == 10:\n                self.close()\n            return',
        ),
    ),
    Mutant(
        "bad-line-closes-the-next-descriptor",
        "closes at a bad line the descriptor of the envelope behind it",
        ("HND-030", "FRM-026"),
        _DEAD_LINE,
        _DEAD_LINE.replace("            return", "            self.close_strays()\n            return"),
    ),
    Mutant(
        "user-message-closes-the-next-descriptor",
        "closes at a plain message the descriptor of the envelope behind it",
        ("HND-030", "HND-031"),
        "        else:\n            self.user.message(message)\n",
        "        else:\n            self.close_strays()\n            self.user.message(message)\n",
    ),
    Mutant(
        "rest-of-a-frame-goes-last",
        "writes the rest of a frame behind the frames that wait",
        ("FRM-008",),
        "                self.outgoing[0] = (data[taken:], None)\n",
        "                del self.outgoing[0]\n                self.outgoing.append((data[taken:], None))\n",
    ),
    Mutant(
        "half-a-line-grows-old",
        "drops an unfinished line when the rest comes a moment later",
        ("FRM-020",),
        "        start = len(self.buffer)\n",
        "        import time\n\n        if time.monotonic() > getattr(self, 'last', 9e9) + 0.1:\n            self.buffer.clear()\n        self.last = time.monotonic()\n        start = len(self.buffer)\n",
    ),
    Mutant(
        "echo-grows-tired",
        "answers no message that comes a moment after the message before it",
        ("PRO-001",),
        _ECHO,
        "            import time\n\n            late = time.monotonic() > getattr(self, 'last', 9e9) + 0.1\n            self.last = time.monotonic()\n            if late:\n                return\n"
        + _ECHO,
        "echo",
    ),
)

CLASSES = (
    Mutant(
        "letters-make-internal",
        "takes a name with a digit behind the prefix for a user message",
        ("CLS-001",),
        'and len(command) > len("NODE_")',
        "and not command[5:6].isdecimal()",
    ),
    Mutant(
        "blanks-make-user-messages",
        "takes a name with a blank for a user message",
        ("CLS-001",),
        'and len(command) > len("NODE_")',
        'and len(command) > len("NODE_") and " " not in command',
    ),
    Mutant(
        "line-feeds-make-user-messages",
        "takes a name with a line feed for a user message",
        ("CLS-001",),
        'and len(command) > len("NODE_")',
        'and len(command) > len("NODE_") and "\\n" not in command',
    ),
    Mutant(
        "empty-objects-are-internal",
        "delivers no empty object",
        ("PRO-001",),
        "        else:\n            self.user.message(message)\n",
        "        elif message != {}:\n            self.user.message(message)\n",
        "echo",
    ),
)

HANDLES = (
    Mutant(
        "shuts-down-what-it-sent",
        "shuts a connection down before it closes its copy",
        ("HND-060",),
        _SENT,
        "            handle.shutdown(socket.SHUT_RDWR)\n" + _SENT,
    ),
    Mutant(
        "ends-what-it-sent",
        "ends the writing of a connection before it closes its copy",
        ("HND-060",),
        _SENT,
        "            handle.shutdown(socket.SHUT_WR)\n" + _SENT,
    ),
    Mutant(
        "shuts-down-servers",
        "shuts a server down when its user closes it, for the receiver too",
        ("HND-060",),
        _CLOSE,
        "        if kind_of(handle.fileno()) == 'server':\n            handle.shutdown(socket.SHUT_RDWR)\n"
        + _CLOSE,
    ),
    Mutant(
        "one-answer-a-read",
        "acknowledges the last handle of those that wait alone",
        ("HND-034",),
        "        self.write(ACK)\n        inner",
        "        if not self.descriptors:\n            self.write(ACK)\n        inner",
    ),
    Mutant(
        "refuses-once",
        "refuses each handle when it comes first",
        ("HND-034", "HND-050"),
        _ACCEPTED,
        "        if not getattr(self, 'again', False):\n            self.again = True\n            os.close(self.descriptors.pop(0))\n            self.write(NACK)\n            return\n        self.again = False\n"
        + _ACCEPTED,
    ),
    Mutant(
        "refuses-long-envelopes",
        "refuses an envelope of more than 64 KiB",
        ("HND-034", "HND-031"),
        _ACCEPTED,
        "        if len(str(envelope)) > 65536:\n            os.close(self.descriptors.pop(0))\n            self.write(NACK)\n            return\n"
        + _ACCEPTED,
    ),
    Mutant(
        "no-ipv6-servers",
        "takes a server of IPv6 for a misfit",
        ("HND-038",),
        '            return "server"\n',
        '            return "other" if copy.family == socket.AF_INET6 else "server"\n',
    ),
    Mutant(
        "no-ipv6-connections",
        "takes a connection of IPv6 for a misfit",
        ("HND-038",),
        '        return "stream"\n\n\ndef envelope_of',
        '        return "other" if copy.family == socket.AF_INET6 else "stream"\n\n\ndef envelope_of',
    ),
    Mutant(
        "keeps-what-it-gave-up",
        "keeps its copy of a connection that it gave up",
        ("HND-056",),
        '            self.user.error("remote", "GIVEN_UP", "the handle was refused too often")\n',
        '            self.user.error("remote", "GIVEN_UP", "the handle was refused too often")\n            os.dup(descriptor)\n',
    ),
    Mutant(
        "next-handle-goes-last",
        "writes the messages behind a second handle before it",
        ("HND-010", "HND-020", "FRM-009"),
        "        while self.held and self.under_way is None:\n            frame, descriptor = self.held.pop(0)\n",
        "        while self.held and self.under_way is None:\n            self.held.sort(key=lambda one: one[1] is not None)\n            frame, descriptor = self.held.pop(0)\n",
    ),
    Mutant(
        "drops-messages-behind-its-handle",
        "delivers no message while its own handle is unanswered",
        ("FLO-001", "LIF-015"),
        "        else:\n            self.user.message(message)\n",
        "        elif self.under_way is None:\n            self.user.message(message)\n",
    ),
    Mutant(
        "refuses-while-it-sends",
        "refuses a handle while its own handle is unanswered",
        ("HND-034",),
        "        if not self.descriptors:\n            self.write(NACK)\n",
        "        if self.under_way or not self.descriptors:\n            self.write(NACK)\n",
    ),
    Mutant(
        "acknowledgement-with-a-number",
        "writes a number into its acknowledgements",
        ("HND-034",),
        "        self.write(ACK)\n        inner",
        "        self.write({**ACK, 'cmd': ['NODE_HANDLE_ACK']})\n        inner",
    ),
    Mutant(
        "second-handle-of-a-name",
        "drops a handle whose message equals that of the handle before it",
        ("HND-038", "FLO-003"),
        "            os.set_blocking(descriptor, False)\n",
        "            if getattr(self, 'before', None) == [message]:\n                os.close(descriptor)\n                return\n            self.before = [message]\n            os.set_blocking(descriptor, False)\n",
    ),
)

SOCKET_LISTS = (
    Mutant(
        "counts-what-it-sent",
        "counts the connections of a key that it sent, too",
        ("SLS-011", "SLS-013"),
        "            handle.setblocking(False)\n            self.held",
        "            handle.setblocking(False)\n            if key:\n                self.lists[key] = self.lists.get(key, 0) + 1\n            self.held",
    ),
    Mutant(
        "keys-are-names",
        "takes the name that its user gave to a server for its key",
        ("SLS-007",),
        '        return "4:{}:{}".format(*self.handles[server].getsockname())\n',
        "        return server\n",
    ),
    Mutant(
        "empty-keys",
        "sends an empty key",
        ("SLS-006",),
        '        return "4:{}:{}".format(*self.handles[server].getsockname())\n',
        '        return ""\n',
    ),
    Mutant(
        "counts-servers",
        "counts a server that came with a key",
        ("SLS-011", "SLS-013"),
        _KEYED,
        _KEYED.replace('kind == "net.Socket"', 'kind in ("net.Socket", "net.Server")'),
    ),
    Mutant(
        "counts-bare-connections",
        "counts a bare handle that came with a key",
        ("SLS-011", "SLS-013"),
        _KEYED,
        _KEYED.replace('kind == "net.Socket"', 'kind in ("net.Socket", "net.Native")'),
    ),
    Mutant(
        "any-close-counts-down",
        "counts a key down when a connection without a key is closed",
        ("SLS-011",),
        "        key = self.keys.pop(descriptor, None)\n",
        "        key = self.keys.pop(descriptor, None) or next(iter(self.lists), None)\n",
    ),
    Mutant(
        "last-key-wins",
        "forgets a key when a connection of another key comes",
        ("SLS-010", "SLS-011"),
        "                self.lists[key] = self.lists",
        "                self.lists = {one: n for one, n in self.lists.items() if one == key}\n                self.lists[key] = self.lists",
    ),
    Mutant(
        "announcement-ends-the-list",
        "forgets a key when its connections are closed after an announcement",
        ("SLS-010",),
        "            self.announced.remove(key)\n",
        "            self.announced.remove(key)\n            del self.lists[key]\n",
    ),
)

ENDS = (
    Mutant(
        "second-disconnect-is-at-once",
        "closes at the second wish of its user to disconnect, handle or not",
        ("LIF-012",),
        _LEAVE,
        _LEAVE + "        if self.leaving:\n            self.close()\n",
    ),
    Mutant(
        "echo-takes-a-reset-for-a-fault",
        "ends with status 1 when the connection is reset",
        ("PRO-002",),
        '        except OSError:\n            data, descriptors = b"", []\n',
        "        except OSError:\n            sys.exit(1)\n",
        "echo",
    ),
    Mutant(
        "echo-ends-with-1-behind-half-a-line",
        "ends with status 1 when a line is unfinished at the end",
        ("PRO-002",),
        "        while self.channel.is_open:\n            wait([self.channel])\n",
        "        while self.channel.is_open:\n            wait([self.channel])\n        sys.exit(bool(self.channel.framer.buffer))\n",
        "echo",
    ),
    Mutant(
        "echo-wraps-once",
        "sends a message with an echo back as it is",
        ("PRO-001",),
        _ECHO,
        '            own = isinstance(message, dict) and list(message) == ["echo"]\n            self.channel.send(message if own else {"echo": finite(message)}, large=True)\n',
        "echo",
    ),
    Mutant(
        "echo-of-truth",
        "answers no message that is false, null, zero or empty",
        ("PRO-001",),
        "        if self.channel.is_open:\n" + _ECHO,
        "        if self.channel.is_open and message:\n" + _ECHO,
        "echo",
    ),
    Mutant(
        "loses-its-first-child",
        "does not report the end of a child while the channel is open",
        ("LIF-020", "LIF-022"),
        "        self.child = None\n        if status >= 0:\n",
        "        self.child = None\n        if self.channel.is_open:\n            return\n        if status >= 0:\n",
        "parent",
    ),
)

WORKERS = (
    Mutant(
        "accepts-when-bytes-come",
        "answers an offer when the first bytes of the connection come",
        ("CLU-019",),
        _OFFERED,
        "        if accepted:\n            copy = socket.socket(fileno=os.dup(fd))\n            copy.setblocking(True)\n            copy.recv(1, socket.MSG_PEEK)\n            copy.close()\n"
        + _OFFERED,
        "worker",
    ),
    Mutant(
        "the-only-server-takes-all",
        "accepts a connection of any key when it has a single server",
        ("CLU-020",),
        '        accepted = message["key"] in [key for key, _query, _server in self.servers]\n',
        '        accepted = len(self.servers) == 1 or message["key"] in [key for key, _query, _server in self.servers]\n',
        "worker",
    ),
    Mutant(
        "zero-is-an-error",
        "takes errno 0 for a failure",
        ("CLU-035", "CLU-017"),
        '        if message.get("errno"):\n',
        '        if message.get("errno") is not None:\n',
        "worker",
    ),
    Mutant(
        "listens-at-port-0",
        "reports port 0 for a server whose port the primary chose",
        ("CLU-017",),
        '        self.channel.say(act="listening", **{**query, "port": port})\n',
        '        self.channel.say(act="listening", **query)\n',
        "worker",
    ),
    Mutant(
        "offers-with-more-members",
        "passes over an offer with a member that it does not know",
        ("CLU-019", "HND-039"),
        '        elif value.get("act") == "newconn":\n',
        '        elif value.get("act") == "newconn" and set(value) <= {"cmd", "act", "key", "seq"}:\n',
        "worker",
    ),
    Mutant(
        "loses-the-first-bytes",
        "reads the bytes of a connection before it answers its offer",
        ("CLU-019",),
        "            self.connections.append(socket.socket(fileno=fd))\n",
        "            one = socket.socket(fileno=fd)\n            one.setblocking(True)\n            one.settimeout(0.05)\n            try:\n                one.recv(65536)\n            except OSError:\n                pass\n            one.settimeout(None)\n            self.connections.append(one)\n",
        "worker",
    ),
)

PRIMARIES = (
    Mutant(
        "answers-a-goodbye-twice",
        "answers a goodbye twice",
        ("CLU-030",),
        '            self.channel.say(ack=value["seq"])\n',
        '            self.channel.say(ack=value["seq"])\n            self.channel.say(ack=value["seq"])\n',
        "primary",
    ),
    Mutant(
        "offers-its-server",
        "offers the listening socket in the place of the connection",
        ("CLU-021", "CLU-038"),
        "fd=connection.fileno(), act=",
        "fd=self.places[key].fileno(), act=",
        "primary",
    ),
    Mutant(
        "udp-as-net-native",
        "shares a UDP socket as net.Native",
        ("CLU-012", "HND-002"),
        'kind = "dgram.Native" if udp else "net.Native"',
        'kind = "net.Native"',
        "primary",
    ),
    Mutant(
        "listens-everywhere",
        "listens at every address",
        ("CLU-011",),
        "server.bind(address if unix else (address,",
        'server.bind(address if unix else ("",',
        "primary",
    ),
    Mutant(
        "offers-without-a-number",
        "numbers no offer",
        ("CLU-003",),
        _NEW_NUMBER,
        '        message = {"cmd": NODE_CLUSTER, **members, **({} if members.get("act") == "newconn" else {"seq": number})}\n',
        "primary",
    ),
)

MUTANTS = (*BOOTSTRAP, *FRAMES, *CLASSES, *HANDLES, *SOCKET_LISTS, *ENDS, *WORKERS, *PRIMARIES)
