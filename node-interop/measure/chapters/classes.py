"""Chapter 40: user messages and internal messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from measure.table import Start, row
from measure.ways import arrives, sends

if TYPE_CHECKING:
    from collections.abc import Callable

row("cls-send-internal", "CLS", "`send({ cmd: 'NODE_x' })`", sends("{ cmd: 'NODE_x' }"))
row("cls-prefix-alone", "CLS", 'The line `{"cmd":"NODE_"}` arrives', arrives({"cmd": "NODE_"}))
row("cls-unknown", "CLS", 'The line `{"cmd":"NODE_x"}` arrives', arrives({"cmd": "NODE_x"}))
row("cls-small", "CLS", 'The line `{"cmd":"node_x"}` arrives', arrives({"cmd": "node_x"}))
row("cls-array", "CLS", 'The line `[{"cmd":"NODE_x"}]` arrives', arrives([{"cmd": "NODE_x"}]))


# A primary whose workers say whether their debugger is open; the last of them first sends the message, when `sends` is true.
DEBUG = """const cluster = require('cluster'); const sends = %s;
    const worker = `const id = require('cluster').worker.id; say(id);
        if (${sends} && id === 2) process.send({ cmd: 'NODE_DEBUG_ENABLED' });
        setTimeout(() => { if (id === 1) say(require('inspector').url() ? 'open' : 'stay closed'); process.exit(); }, 1500);`;
    (cluster.setupPrimary || cluster.setupMaster).call(cluster, Object.assign({ exec: __filename, args: [worker, 'child'] },
        process.versions.bun || process.versions.deno ? {} : { execArgv: ['--inspect-port=0'], inspectPort: 0 }));
    cluster.fork().on('online', () => cluster.fork()); const c = echo(open());"""


def _debuggers(program: str, message: bool) -> Callable[[Start], str]:
    def measure(start: Start) -> str:
        with start(program) as peer:
            if peer.fact(3) is None:
                return "no worker"
            if message:
                peer.write({"cmd": "NODE_DEBUG_ENABLED"})
            return next(
                (one for one in iter(lambda: peer.fact(4), None) if isinstance(one, str)), "no worker"
            )

    return measure


row(
    "cls-debug",
    "CLS",
    '`{"cmd":"NODE_DEBUG_ENABLED"}` arrives at a cluster primary from its own parent: debuggers of its workers',
    _debuggers(DEBUG % "false", message=True),
)
row(
    "cls-debug-worker",
    "CLS",
    "The same arrives from a worker: debuggers of the other workers",
    _debuggers(DEBUG % "true", message=False),
)
row(
    "cls-debug-child",
    "CLS",
    "The same arrives from a child that is no worker: debuggers of the workers",
    _debuggers(
        DEBUG % "false"
        + """ const other = childProcess.fork(__filename, ["process.send({ cmd: 'NODE_DEBUG_ENABLED' })", 'child'], { execArgv: [] });""",
        message=False,
    ),
)
