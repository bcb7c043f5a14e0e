"""Chapter 10: environment, descriptor, inheritance."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from measure.table import Start, observe, row
from measure.words import words, yes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _fact(name: str, show: Callable[[Any], str] = str) -> Callable[[Start], str]:
    def measure(start: Start) -> str:
        with start(role="parent") as peer:
            return show(peer.facts[name])

    return measure


row("boo-family", "BOO", "Kind of the channel's socket, as parent", _fact("family"))
row("boo-number", "BOO", "`NODE_CHANNEL_FD` for the fourth entry of `stdio`", _fact("fd"))
row(
    "boo-mode",
    "BOO",
    "Mode that a parent sets for JSON",
    _fact("mode", lambda mode: str(mode or "none")),
    older=True,
)
row("boo-blocking", "BOO", "A parent hands over the child's end in blocking mode", _fact("blocking", yes))
row("boo-buffer", "BOO", "Send buffer of the channel (`SO_SNDBUF`)", _fact("buffer"))


@observe("boo-second-entry", "BOO", "Values of `NODE_CHANNEL_FD` when the user's `env` has one already")
def _second_entry(start: Start) -> str:
    program = "echo(open({ env: Object.assign({}, process.env, { NODE_CHANNEL_FD: '9' }) }))"
    with start(program, role="parent") as peer:
        return ", ".join(value.partition("=")[2] for value in peer.facts["values"])


@observe(
    "boo-two-entries", "BOO", "The entry that a child takes when its environment has two of `NODE_CHANNEL_FD`"
)
def _two_entries(start: Start) -> str:
    # A name as text and the same name as bytes are two keys, so both entries reach the child.
    orders: tuple[tuple[str, Mapping[Any, str]], ...] = (
        ("the first", {b"NODE_CHANNEL_FD": "77"}),
        ("the last", {"NODE_CHANNEL_FD": "77", b"NODE_CHANNEL_FD": "{fd}"}),
    )
    return next((word for word, env in orders if _answers(start, env)), "neither")


def _answers(start: Start, env: Mapping[Any, str]) -> bool:
    with start("echo(open())", env=env) as peer:
        peer.write(1)
        return peer.line(3) is not None


@observe("boo-variables-removed", "BOO", "Channel variables left in `process.env` of a child")
def _variables(start: Start) -> str:
    program = "echo(open()); say(Object.keys(process.env).filter((name) => name.startsWith('NODE_CHANNEL_')).join(', '))"
    with start(program) as peer:
        return peer.fact() or "none"


def _grandchild(number: int) -> Callable[[Start], str]:
    program = """echo(open());
        const inner = childProcess.spawn('/bin/sh', ['-c', 'ls -l /proc/$$/fd'], { stdio: ['ignore', 'pipe', 'inherit'] });
        let listing = '';
        inner.stdout.on('data', (data) => { listing += data; });
        inner.stdout.on('end', () => say(listing));"""

    def measure(start: Start) -> str:
        with start(program, number=number) as peer:
            sockets = [part for part in str(peer.fact()).split() if part.startswith("socket:")]
            return yes(f"socket:[{peer.inode}]" in sockets)

    return measure


row("boo-grandchild", "BOO", "A grandchild inherits the channel's descriptor, which is 3", _grandchild(3))
row(
    "boo-grandchild-high",
    "BOO",
    "The same, and the descriptor is 100, with free numbers below",
    _grandchild(100),
)


@observe("boo-fd-three", "BOO", "`NODE_CHANNEL_FD` is 3 and nothing was handed over there")
def _fd_three(start: Start) -> str:
    program = """const has = typeof process.send === 'function'; say(has ? 'a channel' : 'no channel');
        if (has) process.send(1, (error) => { say(error ? 'send fails' : 'sent'); process.exit(); });"""
    with start(program, env={"NODE_CHANNEL_FD": "3"}) as peer:
        found = [one for one in (peer.fact(3), peer.fact(1)) if one]
        return ", ".join(found) or peer.end_of_it()


def _variable(env: dict[str, str], descriptor: int | None = None) -> Callable[[Start], str]:
    program = (
        "say(typeof process.send); process.on('message', () => {}); setTimeout(() => process.exit(7), 1500)"
    )

    def measure(start: Start) -> str:
        with start(program, env=env, descriptor=descriptor) as peer:
            told = peer.fact(3)
            if told is None:
                return peer.end_of_it()
            fate = peer.end_of_it(4)
            return "no channel" if told == "undefined" else "a channel" if fate == "exit 7" else fate

    return measure


row("boo-fd-empty", "BOO", "`NODE_CHANNEL_FD` is empty", _variable({"NODE_CHANNEL_FD": ""}))
row("boo-fd-word", "BOO", "`NODE_CHANNEL_FD` is `abc`", _variable({"NODE_CHANNEL_FD": "abc"}))
row("boo-fd-negative", "BOO", "`NODE_CHANNEL_FD` is `-1`", _variable({"NODE_CHANNEL_FD": "-1"}))
row(
    "boo-fd-closed",
    "BOO",
    "`NODE_CHANNEL_FD` names a closed descriptor",
    _variable({"NODE_CHANNEL_FD": "77"}),
)
row("boo-mode-unknown", "BOO", "The mode is `bogus`", _variable({"NODE_CHANNEL_SERIALIZATION_MODE": "bogus"}))
row("boo-mode-empty", "BOO", "The mode is empty", _variable({"NODE_CHANNEL_SERIALIZATION_MODE": ""}))


@observe("boo-fd-file", "BOO", "`NODE_CHANNEL_FD` names `/dev/null`")
def _fd_file(start: Start) -> str:
    number = os.open("/dev/null", os.O_RDWR)
    try:
        return _variable({}, number)(start)
    finally:
        os.close(number)


def _spelled(text: str) -> Callable[[Start], str]:
    """The variable has the number of the channel in this spelling, in which `{fd}` stands for it."""
    program = "say(typeof process.send); echo(open()); setTimeout(() => process.exit(7), 1500)"

    def measure(start: Start) -> str:
        with start(program, env={"NODE_CHANNEL_FD": text}) as peer:
            told = peer.fact(3)
            if told == "undefined":
                return "no channel"
            if told is None:
                return peer.end_of_it()
            peer.write(1)
            return "the channel" if peer.line(1) else "another descriptor"

    return measure


for id_, text in (
    ("trailing", "{fd}x"),
    ("blank", " {fd}"),
    ("plus", "+{fd}"),
    ("zero", "0{fd}"),
    ("hexadecimal", "0x{fd}"),
    ("point", "{fd}.5"),
):
    row(
        f"boo-fd-{id_}",
        "BOO",
        f"`NODE_CHANNEL_FD` is `{text.replace('{fd}', 'N')}`, where N is right",
        _spelled(text),
    )


@observe("boo-thread", "BOO", "`process.send` in a worker thread of a child")
def _thread(start: Start) -> str:
    program = """const { Worker } = require('worker_threads');
        const one = new Worker("require('worker_threads').parentPort.postMessage(typeof process.send)", { eval: true });
        one.on('message', (found) => say(found)).on('error', (error) => say(String(error)));"""
    with start(program) as peer:
        return str(peer.fact(5) or peer.end_of_it())


def _parent_at(place: int) -> Callable[[Start], str]:
    """A parent puts `'ipc'` at one of the first three places of `stdio`."""
    stdio = ["ignore", "ignore", "inherit"]
    stdio[place] = "ipc"

    def measure(start: Start) -> str:
        try:
            with start(f"echo(open({{ stdio: {stdio} }}))", role="parent") as peer:
                return f"`{peer.facts['fd']}`"
        except (TimeoutError, KeyError):
            return "not the number of the channel"

    return measure


def _at_the_front(start: Start) -> str:
    """A parent puts `'ipc'` at the first of four places of `stdio`."""
    with start("echo(open({ stdio: ['ipc', 'ignore', 'inherit', 'ignore'] }))", role="parent") as peer:
        peer.write(1)
        return f"`{peer.facts['fd']}`, {words(*peer.settle())}"


def _child_at(place: int) -> Callable[[Start], str]:
    """A child's channel is one of its standard streams, and the child prints a line."""

    def measure(start: Start) -> str:
        stream = "console.error" if place == 2 else "console.log"
        program = f"process.on('message', (m) => {{ if (m === 'print') {stream}('printed'); else process.send(m); }})"
        with start(program, at=place) as peer:
            lines, fate = peer.settle()
            if fate != "lives":
                return words(lines, fate)
            peer.write("print")
            # Its last error goes onto the channel too, when the channel is its standard error.
            lines, fate = peer.settle()
            return words(lines[:1], fate, quiet="works")

    return measure


for place in (0, 1, 2):
    row(f"boo-parent-at-{place}", "BOO", f"`NODE_CHANNEL_FD` for `'ipc'` at index {place}", _parent_at(place))
row(
    "boo-parent-behind",
    "BOO",
    "`NODE_CHANNEL_FD` for `'ipc'` at index 0 of four streams, and the answer to a message of the child",
    _at_the_front,
)
for place in (0, 1, 2):
    row(
        f"boo-child-at-{place}",
        "BOO",
        f"The channel is descriptor {place} and the child prints a line",
        _child_at(place),
    )


@observe("boo-missing-program", "BOO", "`spawn` of a missing file: `connected`, then the events")
def _missing(start: Start) -> str:
    program = """const c = childProcess.spawn('/nowhere/to/be/found', { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
        const seen = [String(c.connected)];
        for (const name of ['error', 'exit', 'close', 'disconnect']) c.on(name, (e) => seen.push(e && e.code || name));
        setTimeout(() => say(seen.join(', ')), 700);"""
    with start(f"try {{ {program} }} catch (error) {{ say('throws ' + error.code); }}") as peer:
        return str(peer.fact(3) or peer.end_of_it())


@observe("boo-execve", "BOO", "The channel after `process.execve()`")
def _execve(start: Start) -> str:
    program = """if (typeof process.execve !== 'function') say('no such function');
        else { say('there'); const [first, ...words] = process.argv;
            process.execve(process.execPath, [first, words[0], "say(typeof process.send)", 'child'], process.env); }"""
    with start(program) as peer:
        told = peer.fact(3)
        if told != "there":
            return str(told or peer.end_of_it())
        return {"undefined": "is gone", "function": "is there"}.get(str(peer.fact(3)), peer.end_of_it())
