"""The mutants: each is ``peer.py`` with one text replaced, and names the rules that it breaks."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """One broken peer. ``old`` stands exactly once in ``peer.py``, for a worker or a primary in ``cluster_peer.py``."""

    name: str
    does: str
    """What it does wrong, as a predicate."""
    breaks: tuple[str, ...]
    old: str
    new: str
    role: str = "child"
    """``child`` and ``parent`` are driven, ``echo`` is a child of rung 0; ``worker`` and ``primary`` are of chapter 90."""


MUTANTS = (
    # ---- bootstrap
    Mutant(
        "hexadecimal-descriptor",
        "names the child's descriptor in hexadecimal digits",
        ("BOO-007",),
        '"NODE_CHANNEL_FD": str(number)',
        '"NODE_CHANNEL_FD": hex(number)',
        "parent",
    ),
    Mutant(
        "close-on-exec-for-the-child",
        "starts the child with its end marked close-on-exec",
        ("BOO-012",),
        "os.set_inheritable(number, True)",
        "os.set_inheritable(number, False)",
        "parent",
    ),
    Mutant(
        "keeps-the-childs-end",
        "keeps its copy of the child's end",
        ("BOO-008",),
        "        os.close(number)\n        os.close(null)\n",
        "        os.close(null)\n",
        "parent",
    ),
    Mutant(
        "advanced-mode",
        "tells the child the mode advanced and speaks JSON",
        ("BOO-014",),
        '"NODE_CHANNEL_SERIALIZATION_MODE": "json"',
        '"NODE_CHANNEL_SERIALIZATION_MODE": "advanced"',
        "parent",
    ),
    Mutant(
        "non-blocking-child",
        "hands over the child's end in non-blocking mode",
        ("BOO-015",),
        "        number = os.dup(theirs.fileno())\n",
        "        theirs.setblocking(False)\n        number = os.dup(theirs.fileno())\n",
        "parent",
    ),
    Mutant(
        "greets",
        "writes a greeting when the channel opens",
        ("BOO-017",),
        "        self.channel = Channel(end, self)\n",
        "        self.channel = Channel(end, self)\n        self.channel.write({'hello': 1})\n",
    ),
    Mutant(
        "greets-in-binary",
        "writes a binary version packet when the channel opens",
        ("BOO-017",),
        "        self.channel = Channel(end, self)\n",
        "        self.channel = Channel(end, self)\n        self.channel.put(b'\\1\\2\\0\\0\\0', None)\n",
        "parent",
    ),
    # ---- framing, writing
    Mutant(
        "writes-latin-1",
        "writes Latin-1",
        ("FRM-001",),
        '.encode("utf-8") + b"\\n"',
        '.encode("latin-1", "replace") + b"\\n"',
    ),
    Mutant(
        "pretty-printer",
        "writes a message over several lines",
        ("FRM-002", "FRM-007", "FLO-005"),
        'separators=(",", ":"), allow_nan',
        "indent=1, allow_nan",
    ),
    Mutant(
        "raw-line-feeds",
        "writes a line feed in a string as it is",
        ("FRM-002",),
        "    return LONE_SURROGATE.sub(escape, text)",
        '    text = text.replace("\\\\n", "\\n")\n    return LONE_SURROGATE.sub(escape, text)',
    ),
    Mutant(
        "forgets-the-line-feed",
        "ends no message with a line feed",
        ("FRM-003",),
        '.encode("utf-8") + b"\\n"',
        '.encode("utf-8")',
    ),
    Mutant(
        "line-feed-lost-after-64k",
        "forgets the line feed of a message beyond 64 KiB",
        ("FRM-003", "FRM-008"),
        '.encode("utf-8") + b"\\n"',
        '.encode("utf-8") + b"\\n" * (len(text) < 65536)',
        "echo",
    ),
    Mutant(
        "two-line-feeds",
        "ends a message with two line feeds",
        ("FRM-003", "FRM-004"),
        '.encode("utf-8") + b"\\n"',
        '.encode("utf-8") + b"\\n\\n"',
    ),
    Mutant(
        "raw-nul",
        "writes U+0000 in a string as it is",
        ("FRM-005", "JSN-001"),
        "    return LONE_SURROGATE.sub(escape, text)",
        '    text = text.replace("\\\\u0000", "\\0")\n    return LONE_SURROGATE.sub(escape, text)',
    ),
    Mutant(
        "nul-at-the-end",
        "ends a message with U+0000 and a line feed",
        ("FRM-005",),
        '.encode("utf-8") + b"\\n"',
        '.encode("utf-8") + b"\\0\\n"',
    ),
    Mutant(
        "writes-a-bom",
        "writes a byte order mark before each message",
        ("FRM-006",),
        '.encode("utf-8") + b"\\n"',
        '.encode("utf-8-sig") + b"\\n"',
    ),
    Mutant(
        "partial-write-lost",
        "forgets what the kernel did not take",
        ("FRM-008",),
        "            if taken < len(data):\n                self.outgoing[0] = (data[taken:], None)\n",
        "            if taken < 0:\n                pass\n",
        "echo",
    ),
    Mutant(
        "newest-first",
        "writes what it held back in reverse",
        ("FRM-009", "HND-020"),
        "            frame, descriptor = self.held.pop(0)\n",
        "            frame, descriptor = self.held.pop()\n",
    ),
    # ---- framing, reading
    Mutant(
        "a-read-is-a-message",
        "takes what one read returns for one message",
        ("FRM-020",),
        "        start = len(self.buffer)\n",
        '        return [data[:-1]] if data.endswith(b"\\n") else []\n        start = 0\n',
    ),
    Mutant(
        "first-line-of-a-read",
        "loses all but the first line of a read",
        ("FRM-020",),
        "        return lines\n",
        "        return lines[:1]\n",
    ),
    Mutant(
        "splits-at-u2028",
        "ends a line at U+2028",
        ("FRM-020", "JSN-022"),
        'bytes(self.buffer).split(b"\\n")',
        're.split(b"\\n|\\xe2\\x80\\xa8", self.buffer)',
    ),
    Mutant(
        "splits-at-cr",
        "ends a line at a carriage return as well",
        ("FRM-020", "FRM-025"),
        'bytes(self.buffer).split(b"\\n")',
        're.split(b"[\\r\\n]", self.buffer)',
    ),
    Mutant(
        "last-line-first",
        "delivers the lines of one read in reverse",
        ("FRM-021",),
        "        return lines\n",
        "        return lines[::-1]\n",
    ),
    Mutant(
        "decodes-each-read",
        "decodes each read for itself",
        ("FRM-022",),
        "        self.buffer += data\n",
        '        self.buffer += data.decode("utf-8", "replace").encode()\n',
    ),
    Mutant(
        "limit-64k",
        "drops what a line has beyond 64 KiB",
        ("FRM-023",),
        "        self.buffer += data\n",
        "        self.buffer += data[: max(65536 - start, 1)]\n",
    ),
    Mutant(
        "limit-8m",
        "gives up at a line of 8 MiB",
        ("FRM-023",),
        "        self.buffer += data\n",
        "        self.buffer += data\n        assert len(self.buffer) < 2**23\n",
    ),
    Mutant(
        "quadratic-buffer",
        "searches its whole buffer at each read, byte by byte",
        ("FRM-024",),
        'if self.buffer.find(b"\\n", start) < 0',
        "if not any(byte == 10 for byte in self.buffer)",
    ),
    Mutant(
        "copies-its-buffer",
        "copies its whole buffer at each read",
        ("FRM-024",),
        "        self.buffer += data\n",
        "        self.buffer = self.buffer + data\n",
    ),
    Mutant(
        "refuses-blanks-around",
        "refuses a text with blanks around it",
        ("FRM-025",),
        '    text = line.decode("utf-8", "replace")\n',
        '    text = line.decode("utf-8", "replace")\n    if text.strip() != text:\n        raise ValueError(text)\n',
    ),
    Mutant(
        "deaf-after-a-bad-line",
        "reads nothing after a line that is not JSON",
        ("FRM-026",),
        '            self.user.error("remote", "BAD_LINE", str(error))\n',
        '            self.user.error("remote", "BAD_LINE", str(error))\n            self.take = repr\n',
    ),
    Mutant(
        "delivers-bad-lines",
        "delivers a line that is not JSON as a string",
        ("FRM-026", "JSN-030"),
        '            self.user.error("remote", "BAD_LINE", str(error))\n            return\n',
        '            message = line.decode("utf-8", "replace")\n',
    ),
    Mutant(
        "one-bad-line-spoils-the-read",
        "throws away a read with a bad line in it",
        ("FRM-027",),
        "        for line in self.framer.feed(data):\n            self.take(line)\n",
        "        lines = self.framer.feed(data)\n"
        "        try:\n"
        "            list(map(decode, lines))\n"
        "        except ValueError as error:\n"
        '            self.user.error("remote", "BAD_LINE", str(error))\n'
        "            lines = []\n"
        "        for line in lines:\n"
        "            self.take(line)\n",
    ),
    Mutant(
        "skips-bad-bytes",
        "leaves out bytes that are not UTF-8",
        ("FRM-028",),
        '    text = line.decode("utf-8", "replace")\n',
        '    text = line.decode("utf-8", "ignore")\n',
    ),
    Mutant(
        "delivers-half-a-line",
        "takes what is left at the end of the stream for a line",
        ("FRM-029",),
        "        if not data:\n            self.close()\n",
        "        if not data:\n"
        "            if self.framer.buffer:\n"
        "                self.take(bytes(self.framer.buffer))\n"
        "            self.close()\n",
    ),
    # ---- JSON
    Mutant(
        "writes-python",
        "writes the literals of its own language",
        ("JSN-001",),
        "        text = json.dumps(message, ",
        "        text = repr(message) if not isinstance(message, dict) else json.dumps(message, ",
    ),
    Mutant(
        "writes-nan",
        "writes the token NaN",
        ("JSN-002", "JSN-001"),
        "allow_nan=False",
        "allow_nan=True",
    ),
    Mutant(
        "writes-undefined",
        "writes the word undefined for what it cannot encode",
        ("JSN-003", "JSN-001"),
        "        raise Refused(str(error)) from error\n",
        '        return b"undefined\\n"\n',
    ),
    Mutant(
        "blank-line-for-nothing",
        "writes a blank line for what it cannot encode",
        ("JSN-003", "FRM-004"),
        "        raise Refused(str(error)) from error\n",
        '        return b"\\n"\n',
    ),
    Mutant(
        "sends-only-objects",
        "refuses a message that is no object",
        ("JSN-004",),
        '        if is_internal(message):\n            raise Refused("the message looks internal")\n',
        '        if is_internal(message) or not isinstance(message, dict):\n            raise Refused("no object")\n',
    ),
    Mutant(
        "ascii-with-question-marks",
        "writes a question mark for every character beyond ASCII",
        ("JSN-005", "FRM-001"),
        '.encode("utf-8") + b"\\n"',
        '.encode("ascii", "replace") + b"\\n"',
    ),
    Mutant(
        "drops-control-characters",
        "leaves out control characters of a string",
        ("JSN-005",),
        "    return LONE_SURROGATE.sub(escape, text)",
        '    text = re.sub(r"\\\\u00..|\\\\[bfnrt]", "", text)\n    return LONE_SURROGATE.sub(escape, text)',
    ),
    Mutant(
        "surrogates-in-utf8",
        "writes a lone surrogate as three bytes that are no UTF-8",
        ("JSN-006", "FRM-001"),
        'LONE_SURROGATE.sub(escape, text).encode("utf-8")',
        'text.encode("utf-8", "surrogatepass")',
    ),
    Mutant(
        "delivers-only-objects",
        "drops a message that is no object",
        ("JSN-020",),
        "        else:\n            self.user.message(message)\n",
        "        elif isinstance(message, dict):\n            self.user.message(message)\n",
    ),
    Mutant(
        "drops-what-is-false",
        "drops null, false, zero and what is empty",
        ("JSN-020",),
        "        else:\n            self.user.message(message)\n",
        "        elif message:\n            self.user.message(message)\n",
    ),
    Mutant(
        "no-escaped-solidus",
        "refuses the escape of a solidus",
        ("JSN-021",),
        '    text = line.decode("utf-8", "replace")\n',
        '    text = line.decode("utf-8", "replace")\n    if "\\\\/" in text:\n        raise ValueError(text)\n',
    ),
    Mutant(
        "blanks-for-separators",
        "reads U+2028 and U+2029 as blanks",
        ("JSN-022",),
        '    text = line.decode("utf-8", "replace")\n',
        '    text = re.sub("[\\u2028\\u2029]", " ", line.decode("utf-8", "replace"))\n',
    ),
    Mutant(
        "strips-inner-boms",
        "leaves out U+FEFF inside a string",
        ("JSN-022",),
        '    text = line.decode("utf-8", "replace")\n',
        '    text = line.decode("utf-8", "replace")\n    text = text[:1] + text[1:].replace("\\ufeff", "")\n',
    ),
    Mutant(
        "single-precision",
        "reads numbers in single precision",
        ("JSN-024",),
        "    return json.loads(text, ",
        "    from struct import pack, unpack\n"
        "    single = lambda digits: unpack('f', pack('f', float(digits)))[0]\n"
        "    return json.loads(text, parse_float=single, ",
    ),
    Mutant(
        "32-bit-integers",
        "reads integers in 32 bits",
        ("JSN-024",),
        "return int(digits) if",
        "return (int(digits) + 2**31) % 2**32 - 2**31 if",
    ),
    Mutant(
        "first-of-two-members",
        "takes the first of two members of one name",
        ("JSN-027",),
        "    return json.loads(text, ",
        "    first = lambda pairs: dict(reversed(pairs))\n    return json.loads(text, object_pairs_hook=first, ",
    ),
    Mutant(
        "loses-proto",
        "drops a member named __proto__",
        ("JSN-028",),
        "    return json.loads(text, ",
        '    clean = lambda pairs: {key: one for key, one in pairs if key != "__proto__"}\n'
        "    return json.loads(text, object_pairs_hook=clean, ",
    ),
    # ---- classification
    Mutant(
        "internal-by-name",
        "delivers an internal message whose name it does not know",
        ("CLS-001", "CLS-003", "CLS-004"),
        'command.startswith("NODE_") and len(command) > len("NODE_")',
        'command in ("NODE_HANDLE", "NODE_HANDLE_ACK", "NODE_HANDLE_NACK")',
    ),
    Mutant(
        "internal-by-bytes",
        "looks for the prefix in the bytes of the line",
        ("CLS-001", "CLS-003", "HND-040"),
        "        if is_internal(message):\n            self.take_internal(message)\n",
        '        if line.startswith(b\'{"cmd":"NODE_\') and is_internal(message):\n            self.take_internal(message)\n',
    ),
    Mutant(
        "two-characters-make-internal",
        "asks for two characters after the prefix",
        ("CLS-001", "CLS-003"),
        'len(command) > len("NODE_")',
        'len(command) > len("NODE_x")',
    ),
    Mutant(
        "bare-prefix-is-internal",
        "takes the bare prefix for internal",
        ("CLS-002",),
        ' and len(command) > len("NODE_")',
        "",
    ),
    Mutant(
        "prefix-in-any-case",
        "takes the prefix in small letters for internal",
        ("CLS-002",),
        'command.startswith("NODE_")',
        'command.upper().startswith("NODE_")',
    ),
    Mutant(
        "prefix-anywhere",
        "takes the prefix anywhere in the name for internal",
        ("CLS-002",),
        'command.startswith("NODE_")',
        '"NODE_" in command',
    ),
    Mutant(
        "any-member-with-the-prefix",
        "takes the prefix in any member for internal",
        ("CLS-002",),
        '    command = message.get("cmd") if isinstance(message, dict) else None\n',
        '    command = next((str(one) for one in message.values() if "NODE_" in str(one)), None) '
        "if isinstance(message, dict) else None\n",
    ),
    Mutant(
        "array-of-the-name",
        "takes an array that holds the name for the name",
        ("CLS-002",),
        '    command = message.get("cmd") if isinstance(message, dict) else None\n',
        '    command = message.get("cmd") if isinstance(message, dict) else None\n'
        "    command = command[0] if isinstance(command, list) and command else command\n",
    ),
    Mutant(
        "string-with-the-prefix",
        "takes a string with the prefix for internal",
        ("CLS-002",),
        '    command = message.get("cmd") if isinstance(message, dict) else None\n',
        '    command = message.get("cmd") if isinstance(message, dict) else message\n',
    ),
    Mutant(
        "delivers-internal",
        "delivers internal messages too",
        ("CLS-003", "CLS-004"),
        "            self.take_internal(message)\n",
        "            self.take_internal(message)\n            self.user.message(message)\n",
    ),
    Mutant(
        "answers-unknown-internal",
        "refuses an internal message that it does not know",
        ("CLS-004", "HND-050"),
        '            self.take_question(message, message["key"])\n',
        '            self.take_question(message, message["key"])\n        else:\n            self.write(NACK)\n',
    ),
    Mutant(
        "reports-unknown-internal",
        "reports an internal message that it does not know",
        ("CLS-004",),
        '            self.take_question(message, message["key"])\n',
        '            self.take_question(message, message["key"])\n        else:\n            self.user.error("remote", "X", "")\n',
    ),
    Mutant(
        "delivers-internal-envelopes",
        "delivers an internal message that is in an envelope",
        ("CLS-006", "HND-048"),
        "        elif is_internal(message):\n            os.close(descriptor)\n",
        "",
    ),
    # ---- handles, sending
    Mutant(
        "message-instead-of-msg",
        "calls the member of an envelope message",
        ("HND-001",),
        '"msg": message}',
        '"message": message}',
    ),
    Mutant(
        "everything-is-native",
        "announces every socket as net.Native",
        ("HND-002",),
        "return SENDABLE[kind]",
        'return "net.Native"',
    ),
    Mutant(
        "servers-as-connections",
        "announces a server as a connection",
        ("HND-002",),
        '"server": "net.Server", "stream"',
        '"server": "net.Socket", "stream"',
    ),
    Mutant(
        "no-dgram-type",
        "sends a UDP socket without dgramType",
        ("HND-007",),
        '    if envelope["type"] == "dgram.Socket":\n',
        "    if False:\n",
    ),
    Mutant(
        "no-descriptor",
        "forgets the descriptor of an envelope",
        ("HND-004",),
        "[] if descriptor is None else [descriptor]",
        "[]",
    ),
    Mutant(
        "two-descriptors",
        "attaches the descriptor twice",
        ("HND-004",),
        "[] if descriptor is None else [descriptor]",
        "[] if descriptor is None else [descriptor] * 2",
    ),
    Mutant(
        "descriptors-on-everything",
        "attaches a descriptor to plain messages",
        ("HND-006",),
        "[] if descriptor is None else [descriptor]",
        "[2 if descriptor is None else descriptor]",
    ),
    Mutant(
        "blocking-socket",
        "sends a socket in blocking mode",
        ("HND-018",),
        "            handle.setblocking(False)\n",
        "",
    ),
    Mutant(
        "two-handles-under-way",
        "writes a handle before the one before it is answered",
        ("HND-017", "HND-010"),
        "        while self.held and self.under_way is None:\n",
        "        while self.held:\n",
    ),
    Mutant(
        "overtakes-a-handle",
        "writes plain messages past an unanswered handle",
        ("HND-010",),
        "            self.held.append((encode(message, large), None))\n",
        "            self.put(encode(message, large), None)\n",
    ),
    Mutant(
        "answers-wait-too",
        "holds back its answers behind its own handle",
        ("HND-019",),
        "        self.put(encode(answer), None)\n",
        "        self.held.append((encode(answer), None))\n        self.release()\n",
    ),
    Mutant(
        "never-releases",
        "holds back messages even after the acknowledgement",
        ("HND-020",),
        "        os.close(descriptor)\n        self.release()\n",
        "        os.close(descriptor)\n        self.leave_when_done()\n",
    ),
    Mutant(
        "gives-up-at-once",
        "gives up a handle at the first refusal",
        ("HND-015", "HND-016"),
        "ATTEMPTS = 4\n",
        "ATTEMPTS = 1\n",
    ),
    Mutant(
        "wraps-again",
        "answers a refusal by an envelope inside an envelope",
        ("HND-015",),
        "                self.put(frame, descriptor)\n",
        '                outer = {"cmd": "NODE_HANDLE", "type": "net.Native", "msg": json.loads(bytes(frame))}\n'
        "                self.put(encode(outer), descriptor)\n",
    ),
    Mutant(
        "gives-up-early",
        "gives up a handle at the third refusal",
        ("HND-016",),
        "ATTEMPTS = 4\n",
        "ATTEMPTS = 3\n",
    ),
    Mutant(
        "never-gives-up",
        "sends a refused handle again for ever",
        ("HND-016",),
        "ATTEMPTS = 4\n",
        "ATTEMPTS = 4000\n",
    ),
    Mutant(
        "stuck-after-giving-up",
        "holds back messages for ever behind a handle that it gave up",
        ("HND-023",),
        '            self.user.error("remote", "GIVEN_UP", "the handle was refused too often")\n',
        '            self.user.error("remote", "GIVEN_UP", "the handle was refused too often")\n            return\n',
    ),
    Mutant(
        "closes-too-early",
        "closes its descriptor once it is written and has none for a second attempt",
        ("HND-024", "HND-015"),
        "                self.put(frame, descriptor)\n",
        "                self.put(frame, None)\n",
    ),
    # ---- handles, receiving
    Mutant(
        "acknowledges-both-levels",
        "acknowledges both levels of an envelope inside an envelope",
        ("HND-013", "HND-050"),
        "            envelope = inner  # a retransmission of Node\n",
        "            envelope = inner\n            self.write(ACK)\n",
    ),
    Mutant(
        "takes-the-outer-level",
        "takes the inner envelope for an internal message",
        ("HND-014",),
        "            envelope = inner  # a retransmission of Node\n",
        "            pass\n",
    ),
    Mutant(
        "newest-descriptor",
        "reads all there is before it looks at it, and pairs an envelope with the newest descriptor",
        ("HND-030",),
        "        self.descriptors += descriptors\n",
        "        while select.select([self.end], [], [], 0.05)[0]:\n"
        "            more, others, *_ = socket.recv_fds(self.end, 65536, 8)\n"
        "            data, descriptors = data + more, others + descriptors\n"
        "            if not more:\n"
        "                break\n"
        "        self.descriptors += descriptors\n",
    ),
    Mutant(
        "one-slot-for-descriptors",
        "reads all there is before it looks at it, and keeps the latest descriptor only",
        ("HND-030", "HND-034"),
        "        self.descriptors += descriptors\n",
        "        while select.select([self.end], [], [], 0.05)[0]:\n"
        "            more, others, *_ = socket.recv_fds(self.end, 65536, 8)\n"
        "            data, descriptors = data + more, others or descriptors\n"
        "            if not more:\n"
        "                break\n"
        "        self.descriptors += descriptors\n",
    ),
    Mutant(
        "descriptor-of-a-long-line",
        "closes a descriptor whose envelope is not complete at once",
        ("HND-031",),
        "        if not self.framer.buffer:\n            self.close_strays()\n",
        "        self.close_strays()\n",
    ),
    Mutant(
        "descriptor-of-the-first-line",
        "loses the descriptor when a plain message is glued to its envelope",
        ("HND-031", "HND-038"),
        "            self.take(line)\n        if not",
        "            self.take(line)\n            self.close_strays()\n        if not",
    ),
    Mutant(
        "keeps-stray-descriptors",
        "keeps descriptors that no envelope claims",
        ("HND-008",),
        "        if not self.framer.buffer:\n            self.close_strays()\n",
        "",
    ),
    Mutant(
        "delivers-stray-descriptors",
        "delivers the descriptor of a plain message as a handle",
        ("HND-008",),
        "        else:\n            self.user.message(message)\n",
        "        elif self.descriptors:\n"
        "            claimed = socket.socket(fileno=self.descriptors.pop(0))\n"
        '            self.user.message(message, "net.Socket", claimed)\n'
        "        else:\n            self.user.message(message)\n",
    ),
    Mutant(
        "never-acknowledges",
        "never acknowledges a handle",
        ("HND-034",),
        "        self.write(ACK)\n",
        "",
    ),
    Mutant(
        "acknowledges-twice",
        "acknowledges a handle twice",
        ("HND-034", "HND-050"),
        "        self.write(ACK)\n",
        "        self.write(ACK)\n        self.write(ACK)\n",
    ),
    Mutant(
        "acknowledges-late",
        "acknowledges a handle when the next one arrives",
        ("HND-034",),
        "        self.write(ACK)\n",
        "        if vars(self).get('late'):\n            self.write(ACK)\n        self.late = True\n",
    ),
    Mutant(
        "acknowledges-plain-messages",
        "acknowledges messages without a handle",
        ("HND-050",),
        "        else:\n            self.user.message(message)\n",
        "        else:\n            self.user.message(message)\n            self.write(ACK)\n",
    ),
    Mutant(
        "never-refuses",
        "says nothing to an envelope without a descriptor",
        ("HND-012",),
        "            self.write(NACK)\n            return\n",
        "            return\n",
    ),
    Mutant(
        "acknowledges-nothing",
        "acknowledges an envelope without a descriptor",
        ("HND-012",),
        "            self.write(NACK)\n            return\n",
        "            self.write(ACK)\n            return\n",
    ),
    Mutant(
        "delivers-what-it-refuses",
        "delivers the message of an envelope that it refuses",
        ("HND-037",),
        "            self.write(NACK)\n            return\n",
        '            self.write(NACK)\n            self.user.message(envelope.get("msg"))\n            return\n',
    ),
    Mutant(
        "loses-the-message",
        "delivers a handle without its message",
        ("HND-038",),
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))\n",
        "            self.user.message(None, kind, socket.socket(fileno=descriptor))\n",
    ),
    Mutant(
        "loses-the-handle",
        "delivers the message of an envelope without its handle",
        ("HND-038",),
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))\n",
        "            self.user.message(message)\n",
    ),
    Mutant(
        "msg-is-an-object",
        "takes only objects for the message of an envelope",
        ("HND-038",),
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))\n",
        "            if isinstance(message, dict):\n"
        "                self.user.message(message, kind, socket.socket(fileno=descriptor))\n",
    ),
    Mutant(
        "handle-is-shut-down",
        "shuts a connection down before it delivers it",
        ("HND-038",),
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))\n",
        "            handle = socket.socket(fileno=descriptor)\n"
        "            if kind_of(descriptor) == 'stream':\n"
        "                handle.shutdown(socket.SHUT_WR)\n"
        "            self.user.message(message, kind, handle)\n",
    ),
    Mutant(
        "strict-envelopes",
        "refuses an envelope with a member that it does not know",
        ("HND-039",),
        "        if not self.descriptors:\n",
        '        if not self.descriptors or envelope.keys() - {"cmd", "type", "msg", "dgramType"}:\n',
    ),
    Mutant(
        "ordered-envelopes",
        "knows an envelope only with its members in order",
        ("HND-040",),
        '        if message["cmd"] == "NODE_HANDLE":\n',
        '        if message["cmd"] == "NODE_HANDLE" and list(message)[:3] == ["cmd", "type", "msg"]:\n',
    ),
    Mutant(
        "swallows-unknown-types",
        "says nothing of an envelope of an unknown type",
        ("HND-041",),
        '            self.user.error("remote", "BAD_HANDLE", repr(kind))\n',
        "            pass\n",
    ),
    Mutant(
        "silent-about-unknown-types",
        "answers nothing to an envelope of an unknown type",
        ("HND-042",),
        "        self.write(ACK)\n",
        '        if envelope.get("type") in FITTING:\n            self.write(ACK)\n',
    ),
    Mutant(
        "answers-answers",
        "answers an acknowledgement that it does not expect",
        ("HND-051", "HND-050"),
        '            self.user.error("remote", "UNEXPECTED_ANSWER", "no handle is under way")\n',
        '            self.user.error("remote", "UNEXPECTED_ANSWER", "")\n            self.write(ACK)\n',
    ),
    # ---- lifecycle
    Mutant(
        "never-reports-the-end",
        "does not report the end of the channel",
        ("LIF-001",),
        "        self.user.disconnected()\n",
        "",
    ),
    Mutant(
        "reports-the-end-twice",
        "reports the end of the channel twice",
        ("LIF-001",),
        "        self.user.disconnected()\n",
        "        self.user.disconnected()\n        self.user.disconnected()\n",
    ),
    Mutant(
        "end-lost-behind-a-handle",
        "does not report the end while a handle is unanswered",
        ("LIF-001",),
        "        self.answered(None, None)\n        self.user.disconnected()\n",
        "        self.answered(None, None)\n        if self.under_way is None:\n            self.user.disconnected()\n",
    ),
    Mutant(
        "does-not-close",
        "keeps its end open after the end of file",
        ("LIF-002", "LIF-010"),
        "        self.end.close()\n        self.close_strays()\n",
        "        self.close_strays()\n",
    ),
    Mutant(
        "end-before-messages",
        "reports the end before the messages that arrived with it",
        ("LIF-003", "LIF-004"),
        "        for line in self.framer.feed(data):\n            self.take(line)\n",
        "        lines = self.framer.feed(data)\n"
        "        if lines and select.select([self.end], [], [], 0.05)[0] and not self.end.recv(1, socket.MSG_PEEK):\n"
        "            self.close()\n"
        "        for line in lines:\n"
        "            self.take(line)\n",
    ),
    Mutant(
        "swallows-the-last-message",
        "throws away the last message before the end",
        ("LIF-004",),
        "        for line in self.framer.feed(data):\n            self.take(line)\n",
        "        lines = self.framer.feed(data)\n"
        "        if lines and select.select([self.end], [], [], 0.05)[0] and not self.end.recv(1, socket.MSG_PEEK):\n"
        "            lines.pop()\n"
        "        for line in lines:\n"
        "            self.take(line)\n",
    ),
    Mutant(
        "dies-of-a-broken-pipe",
        "writes a farewell at the end, with the signal of a broken pipe at its default",
        ("LIF-006",),
        "        self.is_open = False\n",
        "        self.is_open = False\n"
        "        import signal\n"
        "        signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "        self.end.send(b'0\\n')\n",
    ),
    Mutant(
        "accepts-after-the-end",
        "accepts a message after the end of the channel",
        ("LIF-007",),
        '            raise Refused("the channel has ended")\n',
        "            return\n",
    ),
    Mutant(
        "waits-for-the-rest-of-a-line",
        "does not close while half a line of the peer is buffered",
        ("LIF-010",),
        "if self.leaving and not (self.held",
        "if self.leaving and not (self.framer.buffer or self.held",
    ),
    Mutant(
        "disconnects-at-once",
        "throws away what the kernel has not taken when its user disconnects",
        ("LIF-011", "LIF-012"),
        "        self.leaving = True\n        self.leave_when_done()\n",
        "        self.close()\n",
    ),
    Mutant(
        "disconnects-behind-a-handle",
        "closes while a handle is unanswered",
        ("LIF-012",),
        "not (self.held or self.outgoing or self.under_way)",
        "not self.outgoing",
    ),
    Mutant(
        "shell-status",
        "reports a signal as an exit code above 128",
        ("LIF-020",),
        "        if status >= 0:\n            say",
        "        if True:\n            status = status if status >= 0 else 128 - status\n            say",
        "parent",
    ),
    Mutant(
        "raw-status",
        "reports the status of the wait call as the exit code",
        ("LIF-020",),
        "        status = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])\n",
        "        status = os.waitpid(self.child, 0)[1]\n",
        "parent",
    ),
    Mutant(
        "end-kills-the-child",
        "kills the child at the end of the channel",
        ("LIF-021",),
        '        say({"event": "disconnect"})\n',
        '        os.kill(self.child, 9)\n        say({"event": "disconnect"})\n',
        "parent",
    ),
    Mutant(
        "exit-ends-the-channel",
        "closes the channel when the child ends",
        ("LIF-022",),
        "        self.child = None\n        if status",
        "        self.child = None\n        self.channel.close()\n        if status",
        "parent",
    ),
    # ---- socket lists and bare handles
    Mutant(
        "silent-about-counts",
        "does not answer a question about a count",
        ("SLS-010",),
        'if asked["cmd"] == "NODE_SOCKET_GET_COUNT":',
        'if asked["cmd"] == "NODE_SOCKET_GET_COUNT ":',
    ),
    Mutant(
        "counts-keys",
        "counts keys and not connections",
        ("SLS-011",),
        "self.lists[key] = self.lists.get(key, 0) + 1",
        "self.lists[key] = 1",
    ),
    Mutant(
        "first-word-of-the-key",
        "repeats the first word of a key",
        ("SLS-012",),
        '"key": key, "count"',
        '"key": (key.split() or [key])[0], "count"',
    ),
    Mutant(
        "answers-for-everybody",
        "answers questions about keys that never came",
        ("SLS-013",),
        "        if key not in self.lists:\n            return\n",
        "        self.lists.setdefault(key, 0)\n",
    ),
    Mutant(
        "reports-unasked-answers",
        "reports an answer that nobody asked for as an error",
        ("SLS-005", "SLS-013"),
        "        if key not in self.lists:\n            return\n",
        '        if key not in self.lists:\n            self.user.error("remote", "UNKNOWN_KEY", key)\n            return\n',
    ),
    Mutant(
        "waits-for-the-next-close",
        "answers an announced close only at the next close",
        ("SLS-014",),
        "            self.announced.add(key)\n            self.all_closed(key)\n",
        "            self.announced.add(key)\n",
    ),
    Mutant(
        "forgets-the-announcement",
        "does not say that the last connection is closed",
        ("SLS-015",),
        "            self.lists[key] -= 1\n            self.all_closed(key)\n",
        "            self.lists[key] -= 1\n",
    ),
    Mutant(
        "closed-too-early",
        "says at once that all connections are closed",
        ("SLS-016",),
        "if key in self.announced and not self.lists[key]:",
        "if key in self.announced:",
    ),
    Mutant(
        "short-keys",
        "keeps fourteen characters of a key",
        ("SLS-017",),
        'self.keys[descriptor] = key = envelope["key"]',
        'self.keys[descriptor] = key = envelope["key"][:14]',
    ),
    Mutant(
        "trusts-the-key",
        "looks for the key of every message of socket lists",
        ("SLS-018",),
        'elif isinstance(message.get("key"), str):',
        'elif message["cmd"].startswith("NODE_SOCKET"):',
    ),
    Mutant(
        "answers-overtake",
        "writes the answers of socket lists ahead of a handle",
        ("SLS-019",),
        "        self.held.append((encode(message), None))\n        self.release()\n",
        "        self.write(message)\n",
    ),
    Mutant(
        "wants-a-dgram-type",
        "refuses a bare UDP socket without dgramType",
        ("HND-044",),
        "        if not isinstance(kind, str) or kind_of(descriptor)",
        '        if (kind == "dgram.Native" and "dgramType" not in envelope) or kind_of(descriptor)',
    ),
    Mutant(
        "delivers-twice",
        "delivers a plain message twice",
        ("FLO-003",),
        "        else:\n            self.user.message(message)\n",
        "        else:\n            self.user.message(message)\n            self.user.message(message)\n",
    ),
    Mutant(
        "no-room-for-descriptors",
        "reads without room for a descriptor",
        ("HND-046",),
        "socket.CMSG_SPACE(8 * 4)",
        "0",
    ),
    Mutant(
        "loses-after-the-end",
        "accepts messages after a disconnect and after the end",
        ("LIF-007", "LIF-014", "ERR-004"),
        '            raise Refused("the channel has ended")\n',
        "            return\n",
    ),
    Mutant(
        "keeps-the-latest",
        "forgets what it holds back when there is something newer",
        ("FLO-004",),
        "            self.held.append((encode(message, large), None))\n",
        "            self.held = [(encode(message, large), None)]\n",
    ),
    Mutant(
        "composes-what-it-reads",
        "brings the text of a line into a normal form",
        ("JSN-022",),
        'text = line.decode("utf-8", "replace")',
        'import unicodedata; text = unicodedata.normalize("NFC", line.decode("utf-8", "replace"))',
    ),
    Mutant(
        "strings-of-digits-are-numbers",
        "delivers a string of digits as a number",
        ("JSN-020",),
        "            self.user.message(message)\n\n",
        "            self.user.message(int(message) if isinstance(message, str) and message.isdigit() "
        "else message)\n"
        "\n",
    ),
    Mutant(
        "empty-objects-are-arrays",
        "delivers an empty object as an empty array",
        ("JSN-020",),
        'text = line.decode("utf-8", "replace")',
        'text = line.decode("utf-8", "replace").replace("{}", "[]")',
    ),
    Mutant(
        "each-message-once",
        "drops a message that equals the one before it",
        ("FRM-021",),
        "            self.user.message(message)\n\n",
        '            if message != getattr(self, "last", self): self.user.message(message)\n'
        "            self.last = message\n"
        "\n",
    ),
    Mutant(
        "keys-in-small-letters",
        "compares and repeats keys in small letters",
        ("SLS-017", "SLS-012"),
        'self.take_question(message, message["key"])',
        'self.take_question(message, message["key"].lower())',
    ),
    Mutant(
        "keys-without-blanks",
        "leaves out the blanks around a key",
        ("SLS-017", "SLS-012"),
        'self.take_question(message, message["key"])',
        'self.take_question(message, message["key"].strip())',
    ),
    Mutant(
        "answers-one-announcement",
        "answers the first announcement of a close only",
        ("SLS-014",),
        "            self.announced.remove(key)\n",
        '            if key in getattr(self, "told", set()): return\n'
        '            self.told = getattr(self, "told", set()) | {key}\n'
        "            self.announced.remove(key)\n",
    ),
    Mutant(
        "composes-what-it-writes",
        "brings text into a normal form before it is written",
        ("JSN-005",),
        "    return LONE_SURROGATE.sub",
        "    import unicodedata\n"
        '    text = unicodedata.normalize("NFC", text)\n'
        "    return LONE_SURROGATE.sub",
    ),
    Mutant(
        "digits-become-numbers",
        "writes a string of digits as a number",
        ("JSN-004",),
        "    if not large and has",
        "    if isinstance(message, str) and message.isdigit(): message = int(message)\n"
        "    if not large and has",
    ),
    Mutant(
        "leaves-out-null",
        "leaves out members that are null",
        ("JSN-004",),
        "    if not large and has",
        '    if isinstance(message, dict) and "cmd" not in message: message = {k: v for k, v in '
        "message.items() if v is not None}\n"
        "    if not large and has",
    ),
    Mutant(
        "writes-empty-objects-as-arrays",
        "writes an empty object as an empty array",
        ("JSN-004",),
        "    return LONE_SURROGATE.sub",
        '    text = text.replace("{}", "[]")\n    return LONE_SURROGATE.sub',
    ),
    Mutant(
        "six-digits",
        "writes numbers with six digits",
        ("JSN-004",),
        "    if not large and has",
        '    if isinstance(message, float) and message == message: message = float("%.6g" % message)\n'
        "    if not large and has",
    ),
    Mutant(
        "writes-before-it-reads",
        "reads nothing as long as it has something to write",
        ("FLO-001",),
        "poller.register(one.end, select.POLLIN | (select.POLLOUT if one.outgoing else 0))",
        "poller.register(one.end, select.POLLOUT if one.outgoing else select.POLLIN)",
    ),
    Mutant(
        "descriptor-on-each-part",
        "attaches the descriptor to each part of a long envelope",
        ("HND-028", "HND-004"),
        "self.outgoing[0] = (data[taken:], None)",
        "self.outgoing[0] = (data[taken:], descriptor)",
    ),
    Mutant(
        "descriptor-on-the-last-byte",
        "attaches the descriptor to the last byte of an envelope",
        ("HND-005",),
        "                taken = socket.send_fds(self.end, [data], [] if descriptor is None else "
        "[descriptor])",
        "                if descriptor is not None and len(data) > 1:\n"
        "                    taken = self.end.send(data[:-1])\n"
        "                    self.outgoing[0] = (data[taken:], descriptor)\n"
        "                    continue\n"
        "                taken = socket.send_fds(self.end, [data], [] if descriptor is None else "
        "[descriptor])",
    ),
    Mutant(
        "keeps-what-it-sent",
        "keeps a connection open that it handed over",
        ("SEC-006",),
        "            handle.close()  # it belongs",
        "            pass  # it belongs",
    ),
    Mutant(
        "dies-of-a-reset",
        "dies when the connection is reset",
        ("LIF-005",),
        '        except OSError:\n            data, descriptors = b"", []',
        '        except ConnectionAbortedError:\n            data, descriptors = b"", []',
    ),
    Mutant(
        "ends-one-direction",
        "ends only its own direction when its user disconnects",
        ("LIF-013", "LIF-010"),
        "        if self.leaving and not (self.held or self.outgoing or self.under_way):\n"
        "            self.close()",
        "        if self.leaving and not (self.held or self.outgoing or self.under_way):\n"
        "            self.end.shutdown(socket.SHUT_WR)",
    ),
    Mutant(
        "trims-the-name",
        "leaves out the blanks around the name of an internal message",
        ("CLS-002",),
        '    return isinstance(command, str) and command.startswith("NODE_")',
        '    return isinstance(command, str) and command.strip().startswith("NODE_")',
    ),
    Mutant(
        "prefix-without-underscore",
        "takes names that begin with NODE for internal",
        ("CLS-002",),
        'command.startswith("NODE_") and len(command) > len("NODE_")',
        'command.startswith("NODE") and command != "NODE_" and len(command) > 4',
    ),
    Mutant(
        "channel-is-always-3",
        "takes descriptor 3 without looking",
        ("BOO-010",),
        "    end = socket.socket(fileno=int(number))\n",
        "    end = socket.socket(fileno=3)\n",
    ),
    Mutant(
        "channel-is-inheritable",
        "does not set close-on-exec on the channel",
        ("BOO-004",),
        "    os.set_inheritable(end.fileno(), False)\n",
        "",
    ),
    Mutant(
        "parents-end-is-inheritable",
        "does not set close-on-exec on its own end",
        ("BOO-016",),
        "        os.set_inheritable(number, True)\n",
        "        os.set_inheritable(number, True); ours.set_inheritable(True)\n",
        role="parent",
    ),
    Mutant(
        "channel-of-packets",
        "makes the channel of packets",
        ("BOO-011",),
        "ours, theirs = socket.socketpair()",
        "ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)",
        role="parent",
    ),
    Mutant(
        "channel-over-tcp",
        "makes the channel a TCP connection",
        ("BOO-011",),
        "ours, theirs = socket.socketpair()",
        'l = socket.create_server(("127.0.0.1", 0)); ours = socket.create_connection(l.getsockname()); '
        "theirs = l.accept()[0]; l.close()",
        role="parent",
    ),
    Mutant(
        "end-is-the-childs-end",
        "takes the end of the channel for the end of the child",
        ("LIF-021",),
        '        """The end of the channel."""\n',
        '        """The end of the channel."""\n'
        '        if self.child: self.child = None; say({"event": "exit", "code": 0, "signal": None})\n',
        role="parent",
    ),
    Mutant(
        "reports-the-exit-twice",
        "reports twice that the child ended",
        ("LIF-020",),
        '            say({"event": "exit", "code": status, "signal": None})\n',
        '            say({"event": "exit", "code": status, "signal": None})\n'
        '            say({"event": "exit", "code": status, "signal": None})\n',
        role="parent",
    ),
    Mutant(
        "handles-are-inheritable",
        "does not set close-on-exec on the descriptors that it receives",
        ("HND-033",),
        "socket.CMSG_SPACE(8 * 4), CLOEXEC)",
        "socket.CMSG_SPACE(8 * 4))",
    ),
    Mutant(
        "speaks-json-in-every-mode",
        "speaks JSON whatever the mode says",
        ("BOO-005",),
        '        raise Refused("only JSON is spoken here")\n',
        "        pass\n",
    ),
    Mutant(
        "asks-for-a-mode",
        "takes the absence of a mode for an unknown one",
        ("BOO-002",),
        'os.environ.pop("NODE_CHANNEL_SERIALIZATION_MODE", "") not in ("", "json")',
        'os.environ.pop("NODE_CHANNEL_SERIALIZATION_MODE", "") != "json"',
    ),
    # ---- what only shows beside the wire: environment, other processes, counterparts of sockets
    Mutant(
        "three-without-a-variable",
        "takes descriptor 3 when no variable names one",
        ("BOO-001",),
        'number = os.environ.pop("NODE_CHANNEL_FD", "")',
        'number = os.environ.pop("NODE_CHANNEL_FD", "") or "3"',
    ),
    Mutant(
        "leaves-the-number",
        "leaves NODE_CHANNEL_FD in its environment",
        ("BOO-003",),
        'os.environ.pop("NODE_CHANNEL_FD", "")',
        'os.environ.get("NODE_CHANNEL_FD", "")',
    ),
    Mutant(
        "leaves-the-mode",
        "leaves the mode in its environment",
        ("BOO-009",),
        'os.environ.pop("NODE_CHANNEL_SERIALIZATION_MODE", "")',
        'os.environ.get("NODE_CHANNEL_SERIALIZATION_MODE", "")',
    ),
    Mutant(
        "environment-of-the-user-last",
        "lets the variables of the user win over its own",
        (
            "BOO-013",
            "BOO-014",
        ),
        "{**os.environ, **env, **variables}",
        "{**os.environ, **variables, **env}",
        "parent",
    ),
    Mutant(
        "drops-early-messages",
        "throws away what has arrived when it opens the channel",
        ("FLO-002",),
        "        self.channel = Channel(end, self)\n",
        "        self.channel = Channel(end, self)\n        if select.select([end], [], [], 0.05)[0]:\n            end.recv(65536)\n",
    ),
    Mutant(
        "sends-unix-datagrams",
        "sends a socket of a kind that no receiver knows",
        ("HND-003",),
        '            return "other" if copy.family == socket.AF_UNIX else "datagram"\n',
        '            return "datagram"\n',
    ),
    Mutant(
        "descriptor-one-byte-late",
        "attaches the descriptor to the second byte of the envelope",
        ("HND-005",),
        "taken = socket.send_fds(self.end, [data],",
        "taken = self.end.send(data[:1]) + socket.send_fds(self.end, [data[1:]],",
    ),
    Mutant(
        "reads-on",
        "reads from a connection that it has sent",
        ("HND-009",),
        "            handle.close()  # it belongs to the receiver\n",
        '            handle.settimeout(9)\n            __import__("threading").Thread(target=handle.recv, args=(9,)).start()\n',
    ),
    Mutant(
        "deaf-while-it-leaves",
        "looks only for the answer while its disconnect waits",
        ("LIF-015",),
        '        """One line."""\n',
        '        """One line."""\n        if self.leaving and b"_ACK" not in line:\n            return\n',
    ),
    Mutant(
        "forgets-the-handle-under-way",
        "leaves the descriptor under way open at the end of the channel",
        ("HND-025",),
        "        if self.under_way is not None:\n            os.close(self.under_way[1])\n        for",
        "        for",
    ),
    Mutant(
        "forgets-queued-handles",
        "leaves the descriptors of waiting handles open at the end of the channel",
        ("HND-025",),
        "            if descriptor is not None:\n                os.close(descriptor)\n        self.held.clear()\n",
        "            del descriptor\n        self.held.clear()\n",
    ),
    Mutant(
        "sends-without-handle",
        "sends the message alone when the handle has no descriptor",
        ("HND-026",),
        "        if handle is None:\n            self.held.append",
        "        if handle is None or handle.fileno() < 0:\n            self.held.append",
    ),
    Mutant(
        "delivers-without-room",
        "delivers a message whose descriptor the kernel dropped",
        (
            "HND-047",
            "HND-037",
        ),
        "            self.write(NACK)\n",
        '            self.write(NACK)\n            self.user.message(envelope["msg"])\n',
    ),
    Mutant(
        "takes-servers-away",
        "closes a server that its user has sent",
        ("HND-052",),
        'kind_of(handle.fileno()) == "stream" and not',
        'kind_of(handle.fileno()) != "datagram" and not',
    ),
    Mutant(
        "takes-udp-sockets-away",
        "closes a UDP socket that its user has sent",
        ("HND-052",),
        'kind_of(handle.fileno()) == "stream" and not',
        'kind_of(handle.fileno()) != "server" and not',
    ),
    Mutant(
        "keeps-strays",
        "leaves every descriptor open that no envelope claims",
        (
            "SEC-003",
            "HND-008",
        ),
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
        "keyless",
        "sends a connection of a server without its key",
        ("SLS-001",),
        "key=self.keys.get(name))",
        "key=None)",
    ),
    Mutant(
        "two-names-for-a-server",
        "asks about a server under another name than it sent",
        ("SLS-002",),
        'self.channel.ask(self.key_of(ask["handle"]), tell)',
        'self.channel.ask(self.key_of(ask["handle"]) + "/tcp", tell)',
    ),
    Mutant(
        "asks-for-ever",
        "waits for an answer after the end of the channel",
        ("SLS-004",),
        "        self.answered(None, None)\n",
        "        self.questions.clear()\n",
    ),
    Mutant(
        "any-answer-will-do",
        "takes an answer about any key for the one it waits for",
        ("SLS-005",),
        "due = [tell for asked, tell in self.questions if key in (None, asked)]",
        "due, key = [tell for _asked, tell in self.questions], None",
    ),
    # ---- cluster
    Mutant(
        "one-number-for-all",
        "gives all messages of a cluster one number",
        ("CLU-003",),
        "        self.seq += 1\n",
        "",
        "worker",
    ),
    Mutant(
        "answers-without-number",
        "does not say which offer it answers",
        ("CLU-004",),
        'ack=message["seq"], accepted=accepted',
        "accepted=accepted",
        "worker",
    ),
    Mutant(
        "ends-on-any-answer",
        "takes every answer for that to its goodbye",
        ("CLU-005",),
        'elif "ack" in value and value["ack"] == self.bye:',
        'elif "ack" in value:',
        "worker",
    ),
    Mutant(
        "comes-in-silence",
        "does not say that it is online",
        ("CLU-006",),
        '        self.channel.say(act="online")\n',
        "",
        "worker",
    ),
    Mutant(
        "asks-without-family",
        "leaves out the family of the address",
        ("CLU-007",),
        '"port": port, "addressType": 4}',
        '"port": port}',
        "worker",
    ),
    Mutant(
        "same-index",
        "asks for a second place under the index of the first",
        ("CLU-008",),
        'index = len([one for one in queries if one["port"] == port])',
        "index = 0",
        "worker",
    ),
    Mutant(
        "listens-on-anything",
        "listens on a shared socket whatever its port",
        ("CLU-016",),
        'if query["port"] not in (0, found):',
        "if found is None:",
        "worker",
    ),
    Mutant(
        "listens-in-silence",
        "does not say that it listens",
        ("CLU-017",),
        '        self.channel.say(act="listening", **{**query, "port": port})\n',
        "",
        "worker",
    ),
    Mutant(
        "never-answers-an-offer",
        "does not answer offers",
        ("CLU-019",),
        '        self.channel.say(ack=message["seq"], accepted=accepted)\n',
        "",
        "worker",
    ),
    Mutant(
        "accepts-everything",
        "accepts connections of servers that it does not have",
        ("CLU-020",),
        'accepted = message["key"] in [key for key, _query, _server in self.servers]',
        "accepted = True",
        "worker",
    ),
    Mutant(
        "keeps-what-it-refuses",
        "keeps its copy of a refused connection",
        ("CLU-034",),
        "            os.close(fd)\n",
        "            pass\n",
        "worker",
    ),
    Mutant(
        "closes-in-silence",
        "does not say that it has closed a server",
        ("CLU-025",),
        '        self.channel.say(act="close", key=key)\n',
        "",
        "worker",
    ),
    Mutant(
        "ends-in-the-middle",
        "closes the channel while a connection is open",
        ("CLU-028",),
        "if self.leaving and self.bye is None and not self.connections:",
        "if self.leaving and self.bye is None:",
        "worker",
    ),
    Mutant(
        "leaves-without-waiting",
        "closes the channel without the answer to its goodbye",
        ("CLU-029",),
        'self.bye = self.channel.say(act="exitedAfterDisconnect")',
        'self.channel.say(act="exitedAfterDisconnect")',
        "worker",
    ),
    Mutant(
        "outlives-its-primary",
        "goes on when the channel has ended",
        ("CLU-031",),
        "        while not self.channel.over and not self.done:\n",
        "        while not self.done:\n            while self.channel.over:\n                select.select([], [], [])\n",
        "worker",
    ),
    Mutant(
        "does-not-see-errors",
        "takes an error for success",
        ("CLU-035",),
        '        if message.get("errno"):\n',
        '        if message.get("errno") == "":\n',
        "worker",
    ),
    Mutant(
        "number-in-words",
        "gives the worker a number in words",
        ("CLU-001",),
        '"NODE_UNIQUE_ID": "1"',
        '"NODE_UNIQUE_ID": "one"',
        "primary",
    ),
    Mutant(
        "answers-question-one",
        "answers each question as if it were number 1",
        ("CLU-004",),
        '"ack": query["seq"]',
        '"ack": 1',
        "primary",
    ),
    Mutant(
        "dies-of-unknown-answers",
        "dies of an answer to nothing",
        ("CLU-005",),
        'elif value.get("ack") in self.offers:',
        'elif "ack" in value:',
        "primary",
    ),
    Mutant(
        "no-data",
        "leaves out the data",
        ("CLU-009",),
        ', "data": query.get("data")}',
        "}",
        "primary",
    ),
    Mutant(
        "own-data",
        "answers with data of its own",
        ("CLU-014",),
        '"data": query.get("data")',
        '"data": None',
        "primary",
    ),
    Mutant(
        "positive-errors",
        "tells errors by positive numbers",
        ("CLU-010",),
        "errno=-(getattr(",
        "errno=+(getattr(",
        "primary",
    ),
    Mutant(
        "no-address",
        "does not say where it listens",
        ("CLU-011",),
        ", sockname=sockname)",
        ")",
        "primary",
    ),
    Mutant(
        "unbound",
        "shares a socket that is not bound",
        ("CLU-012",),
        '            server.bind(address if unix else (address, query["port"]))\n',
        '            self.shared or server.bind(address if unix else (address, query["port"]))\n',
        "primary",
    ),
    Mutant(
        "any-port",
        "listens on any port",
        ("CLU-013",),
        'server.bind(address if unix else (address, query["port"]))',
        'server.bind((address, 0 if query["port"] < 65536 else -1))',
        "primary",
    ),
    Mutant(
        "dies-of-nonsense",
        "dies of a port that is none",
        ("CLU-015",),
        "except (OSError, OverflowError, TypeError, KeyError) as error:",
        "except OSError as error:",
        "primary",
    ),
    Mutant(
        "all-offers-at-once",
        "offers all connections at once",
        ("CLU-018",),
        "if self.waiting and not self.offers:",
        "if self.waiting:",
        "primary",
    ),
    Mutant(
        "drops-refused-connections",
        "drops a connection that was refused",
        ("CLU-021",),
        "        else:\n            self.waiting.append((key, connection))",
        "        else:\n            connection.close()",
        "primary",
    ),
    Mutant(
        "keeps-accepted-connections",
        "keeps its copy of an accepted connection",
        ("CLU-023",),
        "is True:\n            connection.close()",
        "is True:\n            self.kept = connection",
        "primary",
    ),
    Mutant(
        "listens-for-nobody",
        "listens when the last server is closed",
        ("CLU-026",),
        "self.places.pop(closed).close()",
        "self.kept = self.places.pop(closed)",
        "primary",
    ),
    Mutant(
        "cuts-off",
        "closes the channel of a worker that is to end",
        ("CLU-027",),
        '                self.channel.say(act="disconnect")\n',
        "                self.channel.over = True\n",
        "primary",
    ),
    Mutant(
        "silent-at-goodbye",
        "does not answer a goodbye",
        ("CLU-030",),
        '            self.channel.say(ack=value["seq"])\n',
        "            pass\n",
        "primary",
    ),
    Mutant(
        "gives-twice",
        "gives a worker the same place twice",
        ("CLU-033",),
        '                raise OSError(errno.EADDRINUSE, "again")\n',
        "                self.places.pop(key).close()\n",
        "primary",
    ),
    Mutant(
        "trims-what-it-reads",
        "leaves out the blanks around a string",
        ("JSN-022",),
        "            self.user.message(message)\n\n",
        "            self.user.message(message.strip() if isinstance(message, str) else message)\n\n",
    ),
    Mutant(
        "trims-what-it-writes",
        "leaves out the blanks around a string that it writes",
        ("JSN-005",),
        "    if not large and has_large_integer(message):",
        "    message = message.strip() if isinstance(message, str) else message\n"
        "    if not large and has_large_integer(message):",
    ),
    Mutant(
        "true-is-1",
        "writes true as 1",
        ("JSN-004",),
        "    if not large and has_large_integer(message):",
        "    message = 1 if message is True else message\n    if not large and has_large_integer(message):",
    ),
    Mutant(
        "keeps-copies-of-handles",
        "keeps a copy of every descriptor that it delivers",
        ("SEC-003",),
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))",
        "            self.user.message(message, kind, socket.socket(fileno=os.dup(descriptor)))",
    ),
    Mutant(
        "delivers-256",
        "delivers nothing after 256 messages",
        ("FRM-021",),
        "            self.user.message(message)\n\n",
        '            self.count = getattr(self, "count", 0) + 1\n'
        "            if self.count <= 256:\n"
        "                self.user.message(message)\n"
        "\n",
    ),
    Mutant(
        "loses-the-256th",
        "loses the 256th message",
        ("FRM-021",),
        "            self.user.message(message)\n\n",
        '            self.count = getattr(self, "count", 0) + 1\n'
        "            if self.count != 256:\n"
        "                self.user.message(message)\n"
        "\n",
        "echo",
    ),
    Mutant(
        "writes-256",
        "writes nothing after 256 messages",
        (
            "FLO-004",
            "FRM-009",
        ),
        "            self.held.append((encode(message, large), None))\n",
        '            self.count = getattr(self, "count", 0) + 1\n'
        "            if self.count <= 256:\n"
        "                self.held.append((encode(message, large), None))\n",
        "parent",
    ),
    Mutant(
        "sixteen-behind-a-handle",
        "has room for sixteen messages behind a handle",
        (
            "HND-020",
            "FLO-004",
        ),
        "            self.held.append((encode(message, large), None))\n",
        "            if len(self.held) < 16:\n"
        "                self.held.append((encode(message, large), None))\n",
    ),
    Mutant(
        "sixteen-without-room",
        "has room for sixteen messages that the kernel does not take",
        ("FLO-004",),
        "        self.outgoing.append((memoryview(frame), descriptor))\n",
        "        if len(self.outgoing) < 16:\n"
        "            self.outgoing.append((memoryview(frame), descriptor))\n",
    ),
    Mutant(
        "small-ones-first",
        "lets a small message overtake large ones",
        ("FRM-009",),
        "        self.outgoing.append((memoryview(frame), descriptor))\n",
        "        place = 1 if len(frame) < 256 and descriptor is None and self.outgoing else len(self.outgoing)\n"
        "        self.outgoing.insert(place, (memoryview(frame), descriptor))\n",
    ),
    Mutant(
        "leaves-out-repetitions",
        "writes no message that is equal to the one before it",
        (
            "FRM-009",
            "FLO-004",
        ),
        "            self.held.append((encode(message, large), None))\n",
        '            if getattr(self, "latest", None) != encode(message, large):\n'
        "                self.held.append((encode(message, large), None))\n"
        "            self.latest = encode(message, large)\n",
    ),
    Mutant(
        "loses-a-full-buffer",
        "loses a line of 4096 bytes",
        ("FRM-020",),
        '        """One line."""\n        try:\n',
        '        """One line."""\n        if len(line) == 4096:\n            return\n        try:\n',
        "echo",
    ),
    Mutant(
        "no-line-feed-in-a-full-buffer",
        "forgets the line feed of a frame of 8192 bytes",
        (
            "FRM-003",
            "FRM-008",
        ),
        "        self.outgoing.append((memoryview(frame), descriptor))\n",
        "        if len(frame) == 8192:\n"
        "            frame = frame[:-1]\n"
        "        self.outgoing.append((memoryview(frame), descriptor))\n",
    ),
    Mutant(
        "decodes-blocks",
        "decodes a line in blocks of 64 KiB",
        ("FRM-022",),
        '    text = line.decode("utf-8", "replace")\n',
        "    blocks = [line[at : at + 65536] for at in range(0, len(line), 65536)]\n"
        '    text = "".join(block.decode("utf-8", "replace") for block in blocks)\n',
    ),
    Mutant(
        "encodes-blocks",
        "encodes a message in blocks of 64 KiB",
        (
            "FRM-001",
            "JSN-005",
        ),
        '    return LONE_SURROGATE.sub(escape, text).encode("utf-8") + b"\\n"\n',
        '    data = LONE_SURROGATE.sub(escape, text).encode("utf-8")\n'
        "    blocks = [data[at : at + 65536] for at in range(0, len(data), 65536)]\n"
        '    return "".join(block.decode("utf-8", "replace") for block in blocks).encode() + b"\\n"\n',
    ),
    Mutant(
        "takes-off-one-blank",
        "takes one blank off the start of a line, and refuses more",
        ("FRM-025",),
        '        """One line."""\n        try:\n',
        '        """One line."""\n        if line.startswith(b"  "):\n            return\n        try:\n',
    ),
    Mutant(
        "acknowledges-sixteen",
        "acknowledges sixteen handles and no more",
        ("HND-034",),
        "        self.write(ACK)\n",
        '        self.count = getattr(self, "count", 0) + 1\n'
        "        if self.count <= 16:\n"
        "            self.write(ACK)\n",
    ),
    Mutant(
        "hands-over-sixteen",
        "hands over sixteen handles and no more",
        ("HND-020",),
        "            self.held.append((frame, os.dup(handle.fileno())))\n",
        '            self.count = getattr(self, "count", 0) + 1\n'
        "            if self.count <= 16:\n"
        "                self.held.append((frame, os.dup(handle.fileno())))\n",
    ),
    Mutant(
        "answers-inside-a-frame",
        "writes an acknowledgement between the parts of a message",
        ("FRM-008",),
        "        self.put(encode(answer), None)\n",
        "        self.outgoing.insert(0, (memoryview(encode(answer)), None))\n        self.flush()\n",
    ),
    Mutant(
        "answers-only-with-room",
        "drops an acknowledgement for which there is no room",
        ("HND-034",),
        "        self.put(encode(answer), None)\n",
        "        if not self.outgoing:\n            self.put(encode(answer), None)\n",
    ),
    Mutant(
        "descriptor-lost-without-room",
        "forgets the descriptor of a frame that the kernel did not take",
        ("HND-004",),
        "            except BlockingIOError:\n                return\n            except OSError:  # the",
        "            except BlockingIOError:\n"
        "                self.outgoing[0] = (data, None)\n"
        "                return\n"
        "            except OSError:  # the",
    ),
    Mutant(
        "joins-what-waits",
        "joins what waits to one write, and the descriptor rides on its first byte",
        ("HND-005",),
        "            data, descriptor = self.outgoing[0]\n",
        "            riders = [rider for _data, rider in self.outgoing if rider is not None]\n"
        '            data = memoryview(b"".join(one for one, _rider in self.outgoing))\n'
        "            self.outgoing[:] = [(data, riders[0] if riders else None)]\n"
        "            data, descriptor = self.outgoing[0]\n",
    ),
    Mutant(
        "marks-a-retransmission",
        "adds a member to an envelope that it writes again",
        ("HND-015",),
        "                self.put(frame, descriptor)\n                return\n",
        '                self.put(encode({**json.loads(frame), "attempt": self.refusals}), descriptor)\n'
        "                return\n",
    ),
    Mutant(
        "second-time-without-msg",
        "writes an envelope the third time without its message",
        (
            "HND-015",
            "HND-001",
        ),
        "                self.put(frame, descriptor)\n                return\n",
        "                again = json.loads(frame)\n"
        "                if self.refusals > 1:\n"
        '                    del again["msg"]\n'
        "                self.put(encode(again), descriptor)\n"
        "                return\n",
    ),
    Mutant(
        "second-time-without-key",
        "writes an envelope again without its key",
        ("HND-015",),
        "                self.put(frame, descriptor)\n                return\n",
        "                again = json.loads(frame)\n"
        '                again.pop("key", None)\n'
        "                self.put(encode(again), descriptor)\n"
        "                return\n",
    ),
    Mutant(
        "second-time-without-family",
        "writes the envelope of a UDP socket again without its family",
        (
            "HND-015",
            "HND-007",
        ),
        "                self.put(frame, descriptor)\n                return\n",
        "                again = json.loads(frame)\n"
        '                again.pop("dgramType", None)\n'
        "                self.put(encode(again), descriptor)\n"
        "                return\n",
        "parent",
    ),
    Mutant(
        "adds-up-refusals",
        "counts the refusals of all handles together",
        ("HND-016",),
        "                self.under_way, self.refusals = (frame, descriptor), 0\n",
        "                self.under_way = (frame, descriptor)\n",
    ),
    Mutant(
        "gives-up-silently",
        "gives a handle up without a word",
        ("HND-054",),
        '            self.user.error("remote", "GIVEN_UP", "the handle was refused too often")\n',
        "",
    ),
    Mutant(
        "drops-servers-silently",
        "gives a server up at its first refusal without a word",
        ("HND-054",),
        "            if self.refusals < ATTEMPTS:\n"
        "                self.put(frame, descriptor)\n"
        "                return\n"
        '            self.user.error("remote", "GIVEN_UP", "the handle was refused too often")\n',
        "            server = b'\"net.Server\"' in frame\n"
        "            if self.refusals < ATTEMPTS and not server:\n"
        "                self.put(frame, descriptor)\n"
        "                return\n"
        "            if not server:\n"
        '                self.user.error("remote", "GIVEN_UP", "the handle was refused too often")\n',
    ),
    Mutant(
        "gives-up-what-follows",
        "gives up all handles that wait with the one that was refused",
        ("HND-023",),
        '            self.user.error("remote", "GIVEN_UP", "the handle was refused too often")\n',
        '            self.user.error("remote", "GIVEN_UP", "the handle was refused too often")\n'
        "            self.held = [one for one in self.held if one[1] is None]\n",
    ),
    Mutant(
        "refusal-ends-the-wait",
        "gives a handle up at its first refusal when the user has disconnected",
        ("LIF-012",),
        "            if self.refusals < ATTEMPTS:",
        "            if self.refusals < ATTEMPTS and not self.leaving:",
    ),
    Mutant(
        "keeps-copies-of-servers",
        "keeps its copy of a server that was handed over",
        ("HND-055",),
        "        self.under_way = None\n        os.close(descriptor)\n",
        "        self.under_way = None\n"
        '        if b"net.Server" not in frame:\n'
        "            os.close(descriptor)\n",
    ),
    Mutant(
        "ignores-capitals",
        "ignores capitals in the names of an envelope",
        ("HND-039",),
        '        kind, message = envelope.get("type"), envelope.get("msg")\n',
        "        small = {name.lower(): member for name, member in envelope.items()}\n"
        '        kind, message = small.get("type"), small.get("msg")\n',
    ),
    Mutant(
        "all-udp-is-4",
        "calls every UDP socket one of IPv4",
        ("HND-007",),
        '"udp6" if handle.family == socket.AF_INET6 else "udp4"',
        '"udp4"',
    ),
    Mutant(
        "acknowledges-strays",
        "acknowledges whatever internal message has a descriptor",
        ("HND-050",),
        '        elif message["cmd"] in ANSWERS:',
        "        elif self.descriptors:\n"
        "            self.write(ACK)\n"
        '        elif message["cmd"] in ANSWERS:',
    ),
    Mutant(
        "servers-are-inherited",
        "lets its children inherit the servers that it received",
        ("HND-033",),
        "            os.set_blocking(descriptor, False)\n            self.user",
        "            os.set_blocking(descriptor, False)\n"
        '            os.set_inheritable(descriptor, kind == "net.Server")\n'
        "            self.user",
    ),
    Mutant(
        "reads-no-more",
        "reads no more once its user has disconnected",
        ("LIF-015",),
        "        if happened & ~select.POLLOUT and one.is_open:\n",
        "        if happened & ~select.POLLOUT and one.is_open and (one.under_way or not one.leaving):\n",
    ),
    Mutant(
        "writes-first",
        "takes no notice of the end while it has something to write",
        ("LIF-002",),
        "        if not data:\n            self.close()\n",
        "        if not data and not self.outgoing:\n            self.close()\n",
    ),
    Mutant(
        "exit-goes-first",
        "throws away what it could read when the child has ended",
        ("LIF-022",),
        "        happened = ready.pop(one.end.fileno(), 0)\n",
        "        happened = ready.pop(one.end.fileno(), 0)\n"
        "        if len(others) > 1 and happened & select.POLLIN and select.select(others[-1:], [], [], 0)[0]:\n"
        "            one.end.recv(65536)\n"
        "            continue\n",
        "parent",
    ),
    Mutant(
        "ends-its-child",
        "sends SIGTERM to the child when its user disconnects",
        ("LIF-023",),
        "        self.channel.disconnect()\n",
        "        self.channel.disconnect()\n        os.kill(self.child, 15)\n",
        "parent",
    ),
    Mutant(
        "few-signals",
        "knows the names of two signals",
        ("LIF-020",),
        "signal.Signals(-status).name",
        '{9: "SIGKILL", 15: "SIGTERM"}.get(-status, str(-status))',
        "parent",
    ),
    Mutant(
        "zero-before-the-number",
        "writes a zero before the number of the descriptor",
        ("BOO-007",),
        '"NODE_CHANNEL_FD": str(number)',
        '"NODE_CHANNEL_FD": f"0{number}"',
        "parent",
    ),
    Mutant(
        "exports-the-variables",
        "sets the variables in its own environment",
        ("BOO-018",),
        "        self.child = os.posix_spawnp(",
        "        os.environ.update(variables)\n        self.child = os.posix_spawnp(",
        "parent",
    ),
    Mutant(
        "obeys-its-user",
        'ends the channel at the message "disconnect"',
        ("CLS-002",),
        "            self.user.message(message)\n\n",
        '            self.user.message(message if message != "disconnect" else self.close())\n\n',
    ),
    Mutant(
        "obeys-a-word",
        "ends the channel at NODE_DISCONNECT",
        ("CLS-004",),
        '        elif message["cmd"] in ANSWERS:',
        '        elif message["cmd"] == "NODE_DISCONNECT":\n'
        "            self.close()\n"
        '        elif message["cmd"] in ANSWERS:',
        "parent",
    ),
    Mutant(
        "answers-every-key",
        "answers any question about a key with a count",
        ("CLS-004",),
        '        elif asked["cmd"] == "NODE_SOCKET_NOTIFY_CLOSE":',
        '        elif asked["cmd"] == "NODE_SOCKET_x":\n'
        '            self.tell({"cmd": "NODE_SOCKET_COUNT", "key": key, "count": self.lists[key]})\n'
        '        elif asked["cmd"] == "NODE_SOCKET_NOTIFY_CLOSE":',
    ),
    Mutant(
        "counts-to-two",
        "counts no further than two",
        ("SLS-011",),
        '            self.tell({"cmd": "NODE_SOCKET_COUNT", "key": key, "count": self.lists[key]})',
        '            self.tell({"cmd": "NODE_SOCKET_COUNT", "key": key, "count": min(self.lists[key], 2)})',
    ),
    Mutant(
        "counts-what-it-refused",
        "counts a connection that it refused",
        ("SLS-011",),
        "            self.write(NACK)\n            return\n",
        "            self.write(NACK)\n"
        '            if envelope.get("key") in self.lists:\n'
        '                self.lists[envelope["key"]] += 1\n'
        "            return\n",
    ),
    Mutant(
        "any-answer-is-a-count",
        "takes any answer about a key for the count",
        ("SLS-005",),
        '        if asked["cmd"] == "NODE_SOCKET_COUNT":\n',
        '        if asked["cmd"] in ("NODE_SOCKET_COUNT", "NODE_SOCKET_ALL_CLOSED"):\n',
    ),
    Mutant(
        "revives-dates",
        "rewrites a string that looks like a date",
        ("JSN-022",),
        "            self.user.message(message)\n\n",
        '            self.user.message(re.sub("(T..:..:..)Z$", r"\\1.000Z", message) if isinstance(message, str) else message)\n'
        "\n",
    ),
    Mutant(
        "follows-references",
        "takes a member $ref for its own",
        ("JSN-020",),
        "            self.user.message(message)\n\n",
        '            self.user.message(json.loads(json.dumps(message), object_hook=lambda one: (one.pop("$ref", None), one)[1]))\n'
        "\n",
    ),
    Mutant(
        "trims-names",
        "leaves out the blanks around a name",
        ("JSN-020",),
        "            self.user.message(message)\n\n",
        "            self.user.message(json.loads(json.dumps(message), object_hook=lambda one: {k.strip(): v for k, v in one.items()}))\n"
        "\n",
    ),
    Mutant(
        "names-end-at-nul",
        "cuts a name at its first NUL",
        ("JSN-021",),
        "        if is_internal(message):\n            self.take_internal(message)\n        else:",
        "        if isinstance(message, dict):\n"
        "            message = {name.partition(chr(0))[0]: member for name, member in message.items()}\n"
        "        if is_internal(message):\n"
        "            self.take_internal(message)\n"
        "        else:",
    ),
    Mutant(
        "one-member-is-no-list",
        "delivers the member of a list of one",
        ("JSN-020",),
        "            self.user.message(message)\n\n",
        "            self.user.message(message[0] if isinstance(message, list) and len(message) == 1 else message)\n"
        "\n",
    ),
    Mutant(
        "lists-are-sets",
        "writes equal members of a list once",
        ("JSN-004",),
        "    if not large and has_large_integer(message):",
        "    if isinstance(message, list) and all(isinstance(one, str) for one in message):\n"
        "        message = list(dict.fromkeys(message))\n"
        "    if not large and has_large_integer(message):",
    ),
    Mutant(
        "decodes-percents",
        "decodes %41 in a string",
        ("JSN-022",),
        "            self.user.message(message)\n\n",
        '            self.user.message(message.replace("%41", "A") if isinstance(message, str) else message)\n'
        "\n",
    ),
    Mutant(
        "noncharacters-are-replaced",
        "replaces U+FFFE and U+FFFF",
        ("JSN-022",),
        "            self.user.message(message)\n\n",
        '            self.user.message(re.sub("[\\ufffe\\uffff]", "\\ufffd", message) if isinstance(message, str) else message)\n'
        "\n",
    ),
    Mutant(
        "percents-are-formats",
        "writes %% as %",
        ("JSN-005",),
        "    if not large and has_large_integer(message):",
        '    message = message.replace("%%", "%") if isinstance(message, str) else message\n'
        "    if not large and has_large_integer(message):",
    ),
    Mutant(
        "serves-eight",
        "closes every connection after the eighth",
        ("CLU-019",),
        "        if accepted:\n            self.connections",
        '        self.count = getattr(self, "count", 0) + 1\n        if accepted and self.count <= 8:\n            self.connections',
        "worker",
    ),
    Mutant(
        "any-answer-is-a-goodbye",
        "takes any answer for that to its goodbye",
        ("CLU-029",),
        '"ack" in value and value["ack"] == self.bye:',
        '"ack" in value and self.bye is not None:',
        "worker",
    ),
    Mutant(
        "offers-eight",
        "offers eight connections and no more",
        ("CLU-018",),
        "        if self.waiting and not self.offers:\n",
        '        self.count = getattr(self, "count", 0) + bool(self.waiting)\n'
        "        if self.waiting and not self.offers and self.count <= 8:\n",
        "primary",
    ),
    Mutant(
        "offers-twice",
        "offers a connection no more that was refused twice",
        ("CLU-021",),
        "            self.waiting.append((key, connection))\n\n    def close",
        '            self.count = getattr(self, "count", 0) + 1\n'
        "            if self.count < 2:\n                self.waiting.append((key, connection))\n\n    def close",
        "primary",
    ),
    Mutant(
        "counts-in-a-byte",
        "counts its messages in a byte",
        ("CLU-003",),
        "        number = self.seq\n        self.seq += 1\n",
        "        number = self.seq % 256\n        self.seq += 1\n",
        "worker",
    ),
    Mutant(
        "counts-offers-in-a-byte",
        "counts its messages in a byte",
        ("CLU-003",),
        "        number = self.seq\n        self.seq += 1\n",
        "        number = self.seq % 256\n        self.seq += 1\n",
        "primary",
    ),
    Mutant(
        "counts-anew-after-close",
        "counts from 0 again when it has closed a server",
        ("CLU-003",),
        '        self.channel.say(act="close", key=key)\n',
        '        self.channel.say(act="close", key=key)\n        self.channel.seq = 0\n',
        "worker",
    ),
    Mutant(
        "counts-anew-for-the-next-place",
        "counts from 0 again when a place is closed",
        ("CLU-003",),
        "        self.places.pop(closed).close()",
        "        self.places.pop(closed).close()\n        self.channel.seq = 0",
        "primary",
    ),
    Mutant(
        "counts-answers-apart",
        "counts its answers from 0 and its questions from 0",
        ("CLU-003",),
        "        number = self.seq\n        self.seq += 1\n",
        '        self.counts = getattr(self, "counts", {True: 0, False: 0})\n'
        '        number = self.counts["ack" in members]\n'
        '        self.counts["ack" in members] += 1\n',
        "worker",
    ),
    Mutant(
        "counts-offers-apart",
        "counts its answers from 0 and its offers from 0",
        ("CLU-003",),
        "        number = self.seq\n        self.seq += 1\n",
        '        self.counts = getattr(self, "counts", {True: 0, False: 0})\n'
        '        number = self.counts["ack" in members]\n'
        '        self.counts["ack" in members] += 1\n',
        "primary",
    ),
    Mutant(
        "kills-at-disconnect",
        "sends SIGTERM to a worker that is to end",
        ("CLU-027",),
        '                self.channel.say(act="disconnect")\n',
        '                self.channel.say(act="disconnect")\n                os.kill(self.child, 15)\n',
        "primary",
    ),
    Mutant(
        "kills-at-close",
        "sends SIGKILL to a worker that has closed its last server",
        ("CLU-027",),
        "        self.places.pop(closed).close()",
        "        self.places.pop(closed).close()\n        os.kill(self.child, 0 if self.places else 9)",
        "primary",
    ),
    Mutant(
        "closes-all-its-servers",
        "closes all its servers when it closes one",
        ("CLU-036",),
        '        self.channel.say(act="close", key=key)\n',
        '        self.channel.say(act="close", key=key)\n'
        "        for _key, _query, one in self.servers:\n"
        "            one is not None and one.close()\n        self.servers.clear()\n",
        "worker",
    ),
    Mutant(
        "deaf-shared-socket",
        "closes all its shared sockets when it closes one",
        ("CLU-036",),
        "        if server is not None:\n            server.close()\n"
        '        self.channel.say(act="close", key=key)\n',
        "        for one in [one for _key, _query, one in self.servers if server is not None] + [server]:\n"
        "            one is not None and one.close()\n"
        "        self.servers = [entry for entry in self.servers if server is None]\n"
        '        self.channel.say(act="close", key=key)\n',
        "worker",
    ),
    Mutant(
        "closes-the-oldest",
        "closes the server that was opened first, and says so of the last one",
        ("CLU-025",),
        "        key, _query, server = self.servers.pop(number)\n",
        "        key = self.servers[-1][0]\n"
        "        self.servers[-1:] = [(key, *self.servers[0][1:])] if len(self.servers) > 2 else []\n"
        "        _key, _query, server = self.servers.pop(0) if self.servers else (0, 0, None)\n",
        "worker",
    ),
    Mutant(
        "stops-to-listen-anywhere",
        "stops to listen at every place when one is closed",
        ("CLU-037",),
        "        self.places.pop(closed).close()",
        "        for one in self.places.values():\n            one.close()\n        self.places.clear()",
        "primary",
    ),
    Mutant(
        "closes-the-later-places",
        "stops to listen at the places after the one that is closed",
        ("CLU-037",),
        "        self.places.pop(closed).close()",
        "        for one in list(self.places)[list(self.places).index(closed) :]:\n"
        "            self.places.pop(one).close()",
        "primary",
    ),
    Mutant(
        "closes-the-earlier-places",
        "stops to listen at the places before the one that is closed",
        ("CLU-037",),
        "        self.places.pop(closed).close()",
        "        for one in list(self.places)[: list(self.places).index(closed) + 1]:\n"
        "            self.places.pop(one).close()",
        "primary",
    ),
    Mutant(
        "closes-the-last-place",
        "closes the newest place, whichever the worker closes",
        ("CLU-026",),
        "        self.places.pop(closed).close()",
        "        self.places.popitem()[1].close()",
        "primary",
    ),
    Mutant(
        "no-empty-data",
        "takes empty data for none",
        ("CLU-014",),
        '"data": query.get("data")}',
        '"data": query.get("data") or None}',
        "primary",
    ),
    Mutant(
        "drops-empty-data",
        "leaves out data that are empty",
        ("CLU-009",),
        '        common = {"key": key, "ack": query["seq"], "data": query.get("data")}\n',
        '        common = {"key": key, "ack": query["seq"], "data": query.get("data")}\n'
        '        common = {name: one for name, one in common.items() if one or name != "data" or one is None}\n',
        "primary",
    ),
    Mutant(
        "always-in-use",
        "tells every error as a port that is taken",
        ("CLU-010",),
        '-(getattr(error, "errno", None) or errno.EINVAL)',
        "-errno.EADDRINUSE",
        "primary",
    ),
    Mutant(
        "two-errors",
        "knows two errors",
        ("CLU-010",),
        '-(getattr(error, "errno", None) or errno.EINVAL)',
        '-(error.errno if getattr(error, "errno", 0) in (98, 99) else errno.EINVAL)',
        "primary",
    ),
    Mutant(
        "one-place-for-port-0",
        "gives every server on port 0 the same place",
        ("CLU-013",),
        '        place += [query.get("index")] if query.get("port") == 0 else []\n'
        '        key = ":".join(map(str, place))\n        udp = query.get("addressType") == "udp4"\n'
        '        common = {"key": key, "ack": query["seq"], "data": query.get("data")}\n'
        "        try:\n            if key in self.places:\n",
        '        key = ":".join(map(str, place))\n        udp = query.get("addressType") == "udp4"\n'
        '        common = {"key": key, "ack": query["seq"], "data": query.get("data")}\n'
        '        if key in self.places and query["port"] == 0:\n'
        "            port = self.places[key].getsockname()[1]\n"
        '            sockname = {"address": "127.0.0.1", "family": "IPv4", "port": port}\n'
        "            self.channel.say(errno=None, **common, sockname=sockname)\n            return\n"
        "        try:\n            if key in self.places:\n",
        "primary",
    ),
    Mutant(
        "names-the-first-place",
        "offers every connection under the key of the first place",
        ("CLU-038",),
        'fd=connection.fileno(), act="newconn", key=key)',
        'fd=connection.fileno(), act="newconn", key=next(iter(self.places)))',
        "primary",
    ),
    Mutant(
        "says-the-wish",
        "says the port that was asked for as the one that it listens on",
        ("CLU-011",),
        '"family": "IPv4", "port": port}',
        '"family": "IPv4", "port": query["port"]}',
        "primary",
    ),
    Mutant(
        "no-answer-to-0",
        "leaves out the number of a question when it is 0",
        ("CLU-004",),
        '        common = {"key": key, "ack": query["seq"], "data": query.get("data")}\n',
        '        common = {"key": key, **({"ack": query["seq"]} if query["seq"] else {}), "data": query.get("data")}\n',
        "primary",
    ),
    Mutant(
        "numbers-of-32-bits",
        "keeps 32 bits of the number of a question",
        ("CLU-004",),
        '"ack": query["seq"], "data"',
        '"ack": query["seq"] & 0xFFFFFFFF, "data"',
        "primary",
    ),
    Mutant(
        "cuts-ports",
        "cuts a port to 16 bits",
        ("CLU-015",),
        'server.bind(address if unix else (address, query["port"]))',
        'server.bind(address if unix else (address, query["port"] & 65535))',
        "primary",
    ),
    Mutant(
        "every-failure-is-in-use",
        "takes every error for a port that is taken",
        ("CLU-035",),
        "errno.errorcode[-number]",
        "errno.errorcode[98]",
        "worker",
    ),
    Mutant(
        "one-failure-ends-all",
        "closes its other servers when one fails",
        ("CLU-035",),
        '            self.fail(message["errno"])\n            return\n        server',
        '            self.fail(message["errno"])\n            self.servers.clear()\n'
        "            return\n        server",
        "worker",
    ),
    Mutant(
        "keeps-a-failed-server",
        "takes connections of a server that failed",
        ("CLU-035",),
        '            self.fail(message["errno"])\n            return\n        server',
        '            self.fail(message["errno"])\n'
        '            self.servers.append((message["key"], query, None))\n            return\n'
        "        server",
        "worker",
    ),
    Mutant(
        "any-bound-port",
        "listens on a shared socket that is bound to another port",
        ("CLU-016",),
        'if query["port"] not in (0, found):',
        'if query["port"] and not found:',
        "worker",
    ),
    Mutant(
        "closes-one-of-two",
        "closes one server when it is asked to end",
        ("CLU-025",),
        "        while self.servers:\n",
        "        if self.servers:\n",
        "worker",
    ),
    Mutant(
        "closes-the-same-twice",
        "says of its first server that it is closed, once for each",
        ("CLU-025",),
        '        self.channel.say(act="close", key=key)\n',
        '        self.first = getattr(self, "first", key)\n'
        '        self.channel.say(act="close", key=self.first)\n',
        "worker",
    ),
    Mutant(
        "works-while-it-ends",
        "accepts connections while it ends",
        ("CLU-020",),
        'accepted = message["key"] in [key for key, _query, _server in self.servers]',
        'accepted = self.leaving or message["key"] in [key for key, _query, _server in self.servers]',
        "worker",
    ),
    Mutant(
        "waits-for-a-server",
        "does not end when it has no server to close",
        ("CLU-028",),
        "        while self.servers:\n            self.close_server()\n        self.leaving = True\n",
        "        if dismissed and not self.servers:\n            return\n"
        "        while self.servers:\n            self.close_server()\n        self.leaving = True\n",
        "worker",
    ),
    Mutant(
        "leaves-in-silence-without-server",
        "says no goodbye when it has no server",
        ("CLU-029",),
        "        while self.servers:\n            self.close_server()\n        self.leaving = True\n",
        "        dismissed = dismissed or not self.servers\n        while self.servers:\n"
        "            self.close_server()\n        self.leaving = True\n",
        "worker",
    ),
    Mutant(
        "keys-by-beginning",
        "takes a key that begins like its own for its own",
        ("CLU-020",),
        'accepted = message["key"] in [key for key, _query, _server in self.servers]',
        'accepted = any(message["key"].startswith(key) for key, _query, _server in self.servers)',
        "worker",
    ),
    Mutant(
        "keys-without-case",
        "takes a key for its own whatever the case of its letters",
        ("CLU-020",),
        'accepted = message["key"] in [key for key, _query, _server in self.servers]',
        'accepted = message["key"].upper() in [key.upper() for key, _query, _server in self.servers]',
        "worker",
    ),
    Mutant(
        "keys-of-32-characters",
        "looks at 32 characters of a key",
        ("CLU-020",),
        'accepted = message["key"] in [key for key, _query, _server in self.servers]',
        'accepted = message["key"][:32] in [key[:32] for key, _query, _server in self.servers]',
        "worker",
    ),
    Mutant(
        "listens-while-it-ends",
        "listens on a shared socket until it has ended",
        ("CLU-028",),
        "        if server is not None:\n            server.close()\n        self",
        "        self.kept = server\n        self",
        "worker",
    ),
    Mutant(
        "refusal-empties-the-queue",
        "forgets the connections behind one that is refused",
        ("CLU-021",),
        "            self.waiting.append((key, connection))\n\n    def close",
        "            self.waiting = [(key, connection)]\n\n    def close",
        "primary",
    ),
    Mutant(
        "keeps-the-waiting",
        "keeps the connections of a place that is closed",
        ("CLU-039",),
        "            if key == closed:\n                connection.close()\n        self.waiting =",
        "            if key == closed:\n                self.kept = connection\n        self.waiting =",
        "primary",
    ),
    Mutant(
        "one-address",
        "listens at no place without an address",
        ("CLU-010",),
        'address = query["address"] if query["address"] is not None else ""',
        'address = query["address"]',
        "primary",
    ),
    Mutant(
        "needs-a-backlog",
        "takes a question without a backlog for nonsense",
        ("CLU-009",),
        '            unix = query.get("addressType") == -1\n',
        '            unix = query["backlog"] is None or query.get("addressType") == -1\n',
        "primary",
    ),
    Mutant(
        "counts-a-false-backlog",
        "takes a backlog that is no number for nonsense",
        ("CLU-009",),
        '            unix = query.get("addressType") == -1\n',
        '            unix = query.get("addressType") == -1\n'
        '            if type(query.get("backlog", 0)) is not int:\n                raise TypeError\n',
        "primary",
    ),
    Mutant(
        "escapes-of-one-case",
        "refuses an escape with capital and small digits",
        ("JSN-021",),
        '    text = line.decode("utf-8", "replace")\n',
        '    text = line.decode("utf-8", "replace")\n'
        '    if re.search(r"\\\\u(?=\\w{0,3}[a-f])(?=\\w{0,3}[A-F])", text):\n'
        "        raise ValueError(text)\n",
    ),
    Mutant(
        "no-plane-16",
        "reads an escaped character of the last plane as U+FFFD",
        ("JSN-021",),
        '    text = line.decode("utf-8", "replace")\n',
        '    text = line.decode("utf-8", "replace")\n'
        '    text = re.sub(r"(?i)\\\\udb[c-f]\\w\\\\ud[c-f]\\w\\w", "\\ufffd", text)\n',
    ),
    Mutant(
        "drops-escaped-marks",
        "leaves out U+FEFF and U+2028 when they are escaped",
        ("JSN-021",),
        '    text = line.decode("utf-8", "replace")\n',
        '    text = line.decode("utf-8", "replace")\n'
        '    text = re.sub(r"(?i)\\\\ufeff|\\\\u2028", "", text)\n',
    ),
    Mutant(
        "high-surrogate-eats-an-escape",
        "takes the escape behind a high surrogate for its other half",
        ("JSN-023",),
        '    text = line.decode("utf-8", "replace")\n',
        '    text = line.decode("utf-8", "replace")\n'
        '    text = re.sub(r"(?i)(\\\\ud[89ab]..)\\\\u00..", r"\\1", text)\n',
    ),
    Mutant(
        "drops-c1",
        "leaves out the controls from U+0080 to U+009F",
        ("JSN-022",),
        '    text = line.decode("utf-8", "replace")\n',
        '    text = line.decode("utf-8", "replace")\n    text = re.sub("[\\x86-\\x9f]", "", text)\n',
    ),
    Mutant(
        "zero-has-no-sign",
        "loses the sign of a zero with an exponent",
        ("JSN-025",),
        '    text = line.decode("utf-8", "replace")\n',
        '    text = line.decode("utf-8", "replace")\n'
        '    text = re.sub(r"-0(\\.0+)?[eE][-+]?\\d+", "0", text)\n',
    ),
    Mutant(
        "nineteen-digits",
        "looks at nineteen digits of a fraction",
        ("JSN-024",),
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word)",
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word, "
        'parse_float=lambda text: float(re.sub(r"(\\.\\d{19})\\d+", r"\\1", text)))',
    ),
    Mutant(
        "three-digits-of-an-exponent",
        "looks at three digits of an exponent",
        ("JSN-024",),
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word)",
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word, "
        'parse_float=lambda text: float(re.sub(r"([eE][-+]?\\d{3})\\d+", r"\\1", text)))',
    ),
    Mutant(
        "flushes-small-numbers",
        "reads subnormal numbers as zero",
        ("JSN-024",),
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word)",
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word, "
        "parse_float=lambda text: float(text) if abs(float(text)) >= 2.3e-308 or float(text) "
        "== 5e-324 else 0.0)",
    ),
    Mutant(
        "twenty-zeros",
        "reads a fraction that begins with twenty zeros as zero",
        ("JSN-024",),
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word)",
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word, "
        'parse_float=lambda text: 0.0 if text.startswith("0." + 20 * "0") else float(text))',
    ),
    Mutant(
        "negative-integers-wrap",
        "reads a negative integer in 64 bits",
        ("JSN-024",),
        "    return int(digits) if len(digits) < 400",
        '    if digits[0] == "-" and len(digits) < 25:\n'
        "        return (int(digits) + 2**63) % 2**64 - 2**63\n"
        "    return int(digits) if len(digits) < 400",
    ),
    Mutant(
        "first-of-three",
        "takes the second of three members of one name",
        ("JSN-027",),
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word)",
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word, "
        "object_pairs_hook=lambda pairs: dict(pairs[:2]) if len(pairs) == 3 and "
        "len(dict(pairs)) == 1 else dict(pairs))",
    ),
    Mutant(
        "joins-lists",
        "joins two lists of one name",
        ("JSN-027",),
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word)",
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word, "
        "object_pairs_hook=lambda pairs: {k: sum((v for n, v in pairs if n == k), []) if "
        "isinstance(w, list) else w for k, w in pairs})",
    ),
    Mutant(
        "names-are-numbers",
        "takes the names 1 and 01 for one",
        ("JSN-020",),
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word)",
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word, "
        'object_hook=lambda one: {re.sub(r"^0+(?=\\d+$)", "", k): v for k, v in one.items()})',
    ),
    Mutant(
        "length-makes-a-list",
        "takes an object with a length for a list",
        ("JSN-020",),
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word)",
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word, "
        'object_hook=lambda one: [] if list(one) == ["length"] else one)',
    ),
    Mutant(
        "reads-256-members",
        "reads 256 members of an object",
        ("JSN-020",),
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word)",
        "    return json.loads(text, parse_int=read_integer, parse_constant=refuse_word, "
        "object_hook=lambda one: dict(list(one.items())[:256]))",
    ),
    Mutant(
        "inherits-cmd",
        "looks for cmd in __proto__ too",
        ("CLS-002",),
        '    command = message.get("cmd") if isinstance(message, dict) else None\n',
        '    command = message.get("cmd") if isinstance(message, dict) else None\n'
        "    if command is None and isinstance(message, dict) and "
        'isinstance(message.get("__proto__"), dict):\n'
        '        command = message["__proto__"].get("cmd")\n',
    ),
    Mutant(
        "short-names-are-internal",
        "takes a name of more than 64 characters for a user message",
        ("CLS-001",),
        'and len(command) > len("NODE_")',
        'and len("NODE_") < len(command) <= 64',
    ),
    Mutant(
        "ascii-names-are-internal",
        "takes a name beyond ASCII for a user message",
        ("CLS-001",),
        'and len(command) > len("NODE_")',
        'and len(command) > len("NODE_") and command.isascii()',
    ),
    Mutant(
        "no-tab-before-a-colon",
        "refuses a tab before a colon",
        ("FRM-025",),
        '    text = line.decode("utf-8", "replace")\n',
        '    text = line.decode("utf-8", "replace")\n'
        '    if re.search(r"\\t:", text):\n'
        "        raise ValueError(text)\n",
    ),
    Mutant(
        "no-blank-in-what-is-empty",
        "refuses an empty container with a blank in it",
        ("FRM-025",),
        '    text = line.decode("utf-8", "replace")\n',
        '    text = line.decode("utf-8", "replace")\n'
        '    if re.search(r"\\[ +\\]", text):\n'
        "        raise ValueError(text)\n",
    ),
    Mutant(
        "joins-halves",
        "reads two encoded surrogates as one character",
        ("FRM-028",),
        '    text = line.decode("utf-8", "replace")\n',
        '    line = line.replace(b"\\xed\\xa0\\xbd\\xed\\xb8\\x80", "\\U0001f600".encode())\n'
        '    text = line.decode("utf-8", "replace")\n',
    ),
    Mutant(
        "nul-in-two-bytes",
        "reads C0 80 as a NUL",
        ("FRM-028",),
        '    text = line.decode("utf-8", "replace")\n',
        '    line = line.replace(b"\\xc0\\x80", b"\\\\u0000")\n    text = line.decode("utf-8", "replace")\n',
    ),
    Mutant(
        "eats-the-next-letter",
        "takes the letter behind a bad byte for a part of it",
        ("FRM-028",),
        '    text = line.decode("utf-8", "replace")\n',
        '    line = re.sub(rb"[\\xe0-\\xef][ -!#-\\[\\]-~]", "\\ufffd".encode(), line)\n'
        '    text = line.decode("utf-8", "replace")\n',
    ),
    Mutant(
        "slash-in-three-bytes",
        "reads E0 80 AF as a slash",
        ("FRM-028",),
        '    text = line.decode("utf-8", "replace")\n',
        '    line = line.replace(b"\\xe0\\x80\\xaf", b"/")\n    text = line.decode("utf-8", "replace")\n',
    ),
    Mutant(
        "writes-backslash-v",
        "writes a vertical tab as backslash v",
        ("JSN-001",),
        "    return LONE_SURROGATE.sub(escape, text)",
        '    text = text.replace("\\\\u000b", "\\\\v")\n    return LONE_SURROGATE.sub(escape, text)',
    ),
    Mutant(
        "drops-c0",
        "leaves out the controls from U+0001 to U+0006",
        ("JSN-005",),
        "    return LONE_SURROGATE.sub(escape, text)",
        '    text = re.sub(r"\\\\u000[1-6]", "", text)\n    return LONE_SURROGATE.sub(escape, text)',
    ),
    Mutant(
        "next-line-is-a-line-feed",
        "writes U+0085 as a line feed",
        ("JSN-005",),
        "    return LONE_SURROGATE.sub(escape, text)",
        '    text = text.replace("\\x85", "\\\\n")\n    return LONE_SURROGATE.sub(escape, text)',
    ),
    Mutant(
        "drops-a-first-mark",
        "leaves out U+FEFF at the start of a string",
        ("JSN-005",),
        "    return LONE_SURROGATE.sub(escape, text)",
        '    text = text.replace("\\"\\ufeff", "\\"")\n    return LONE_SURROGATE.sub(escape, text)',
    ),
    Mutant(
        "writes-small-numbers-as-zero",
        "writes subnormal numbers as zero",
        ("JSN-004",),
        "    return LONE_SURROGATE.sub(escape, text)",
        '    text = re.sub(r"^\\d(\\.\\d+)?e-3[12]\\d$", lambda one: one[0] if one[0] == "5e-324" '
        'else "0", text)\n'
        "    return LONE_SURROGATE.sub(escape, text)",
    ),
    Mutant(
        "32-bits",
        "writes integers in 32 bits",
        ("JSN-004",),
        "    if not large and has_large_integer(message):",
        "    if isinstance(message, int) and 2**31 <= message < 2**33:\n"
        "        message -= 2**32\n"
        "    if not large and has_large_integer(message):",
    ),
    Mutant(
        "fixed-point",
        "writes numbers with seventeen places",
        ("JSN-004",),
        "    return LONE_SURROGATE.sub(escape, text)",
        '    text = re.sub(r"^\\d\\.\\d+e-1\\d$", lambda one: f"{float(one[0]):.17f}", text)\n'
        "    return LONE_SURROGATE.sub(escape, text)",
    ),
    Mutant(
        "hyphens-are-underscores",
        "writes a name with a hyphen with an underscore",
        ("JSN-005",),
        "    if not large and has_large_integer(message):",
        "    if isinstance(message, dict):\n"
        '        message = {name.replace("-", "_"): member for name, member in '
        "message.items()}\n"
        "    if not large and has_large_integer(message):",
    ),
    Mutant(
        "obeys-tojson",
        "writes the member toJSON for its object",
        ("JSN-004",),
        "    if not large and has_large_integer(message):",
        "    if isinstance(message, dict):\n"
        '        message = message.get("toJSON", message)\n'
        "    if not large and has_large_integer(message):",
    ),
    Mutant(
        "writes-1000-items",
        "writes a thousand items of a list",
        ("JSN-004",),
        "    if not large and has_large_integer(message):",
        "    if isinstance(message, list):\n"
        "        message = message[:1000]\n"
        "    if not large and has_large_integer(message):",
    ),
    Mutant(
        "null-in-the-depth",
        "writes null behind fifty brackets",
        ("JSN-004",),
        "    return LONE_SURROGATE.sub(escape, text)",
        '    if text.startswith("[{\\"a\\":[") and text.count("[") > 40:\n'
        '        text = text.replace("\\"x\\"", "null")\n'
        "    return LONE_SURROGATE.sub(escape, text)",
    ),
    Mutant(
        "nan-inside",
        "writes the token NaN inside an object",
        ("JSN-002", "JSN-001"),
        "allow_nan=False)",
        "allow_nan=isinstance(message, dict))",
    ),
    Mutant(
        "enough-of-bad-lines",
        "reads nothing after the third bad line",
        ("FRM-026", "ERR-003"),
        '            self.user.error("remote", "BAD_LINE", str(error))\n',
        '            self.bad = getattr(self, "bad", 0) + 1\n'
        "            if self.bad > 2:\n"
        "                self.take = lambda line: None\n"
        '            self.user.error("remote", "BAD_LINE", str(error))\n',
    ),
    Mutant(
        "keeps-copies-of-udp-sockets",
        "keeps a copy of every UDP socket that it delivers",
        ("SEC-003",),
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))",
        '            if kind == "dgram.Socket":\n'
        "                descriptor = os.dup(descriptor)\n"
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))",
    ),
    Mutant(
        "keeps-copies-of-received-servers",
        "keeps a copy of every server that it delivers",
        ("SEC-003",),
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))",
        '            if kind == "net.Server":\n'
        "                descriptor = os.dup(descriptor)\n"
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))",
    ),
    Mutant(
        "keeps-copies-of-bare-handles",
        "keeps a copy of every bare handle that it delivers",
        ("SEC-003",),
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))",
        '            if kind == "net.Native":\n'
        "                descriptor = os.dup(descriptor)\n"
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))",
    ),
    Mutant(
        "keeps-copies-of-bare-udp-sockets",
        "keeps a copy of every bare UDP socket that it delivers",
        ("SEC-003",),
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))",
        '            if kind == "dgram.Native":\n'
        "                descriptor = os.dup(descriptor)\n"
        "            self.user.message(message, kind, socket.socket(fileno=descriptor))",
    ),
    Mutant(
        "keeps-sent-udp-sockets",
        "keeps its copy of a UDP socket that was handed over",
        ("HND-055",),
        "        self.under_way = None\n        os.close(descriptor)",
        "        self.under_way = None\n"
        '        if kind_of(descriptor) != "datagram":\n'
        "            os.close(descriptor)",
    ),
    Mutant(
        "ends-its-child-later",
        "sends SIGTERM to the child a second after its user disconnects",
        ("LIF-023",),
        "        self.channel.disconnect()\n",
        "        self.channel.disconnect()\n"
        "        import threading\n"
        "\n"
        "        threading.Timer(1, os.kill, (self.child, 15)).start()\n",
        "parent",
    ),
    Mutant(
        "hangs-up-its-child",
        "sends SIGHUP to the child when its user disconnects",
        ("LIF-023",),
        "        self.channel.disconnect()\n",
        "        self.channel.disconnect()\n        os.kill(self.child, 1)\n",
        "parent",
    ),
    Mutant(
        "interrupts-its-child",
        "sends SIGINT to the child when its user disconnects",
        ("LIF-023",),
        "        self.channel.disconnect()\n",
        "        self.channel.disconnect()\n        os.kill(self.child, 2)\n",
        "parent",
    ),
    Mutant(
        "bad-lines-shift-descriptors",
        "keeps the descriptor of a line that is no JSON for the next envelope",
        ("ERR-003", "HND-038"),
        '            self.user.error("remote", "BAD_LINE", str(error))\n',
        '            self.user.error("remote", "BAD_LINE", str(error))\n            self.framer.buffer += b" "\n',
    ),
    Mutant(
        "takes-answers-in-advance",
        "takes an acknowledgement that came too soon for that of the next handle",
        ("HND-010",),
        '            self.user.error("remote", "UNEXPECTED_ANSWER", "no handle is under way")\n            return\n',
        '            self.user.error("remote", "UNEXPECTED_ANSWER", "no handle is under way")\n'
        "            put = self.put\n"
        "\n"
        "            def put_paid(frame, descriptor):\n"
        "                put(frame, descriptor)\n"
        "                if descriptor is not None:\n"
        "                    self.put, self.under_way = put, None\n"
        "\n"
        "            self.put = put_paid\n"
        "            return\n",
    ),
    Mutant(
        "loses-the-queue-with-a-refused-message",
        "forgets what waits behind a handle when it refuses a message",
        ("HND-010", "HND-020"),
        "            self.held.append((encode(message, large), None))\n        else:\n",
        "            queue, self.held = self.held, []\n"
        "            queue.append((encode(message, large), None))\n"
        "            self.held = queue\n"
        "        else:\n",
    ),
    Mutant(
        "keys-before-commands",
        "takes every internal message with a key for one about connections",
        ("HND-020",),
        '        elif message["cmd"] in ANSWERS:\n',
        '        elif isinstance(message.get("key"), str):\n'
        '            self.take_question(message, message["key"])\n'
        '        elif message["cmd"] in ANSWERS:\n',
    ),
    Mutant(
        "refusals-wait-in-line",
        "holds its refusals back behind a handle under way",
        ("HND-019",),
        "            self.write(NACK)\n            return\n",
        "            self.tell(NACK)\n            return\n",
    ),
    Mutant(
        "short-keys-only",
        "has no room for a key of more than a hundred characters",
        ("SLS-012",),
        '        elif isinstance(message.get("key"), str):\n',
        '        elif isinstance(message.get("key"), str) and len(message["key"]) <= 100:\n',
    ),
    Mutant(
        "short-queue",
        "has room for a thousand messages behind a handle",
        ("HND-010",),
        "        if handle is None:\n            self.held.append(",
        "        if handle is None and len(self.held) >= 1000:\n"
        "            encode(message, large)\n"
        "        elif handle is None:\n"
        "            self.held.append(",
    ),
    Mutant(
        "closes-the-latest-server",
        "closes another server than its user, where there are two",
        ("CLU-025", "CLU-036"),
        "self.servers.pop(number)\n",
        "self.servers.pop()\n",
        "worker",
    ),
)
