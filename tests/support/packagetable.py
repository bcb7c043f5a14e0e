"""The table of npm packages in the README: the features that work with each version, written from a run of the tests.

`python -m support.packagetable` runs the tests and writes the table; it fails when a test does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NamedTuple

from support.node import ROOT
from support.packages import PINS

README = ROOT / "README.md"
BEGIN, END = "<!-- written by make packages-table -->\n", "<!-- end of the table of packages -->\n"


class Row(NamedTuple):
    """A feature that works with a package; `tests` is the file that shows it."""

    package: str
    python_is: str
    with_: str
    serialization: str
    tests: str


ROWS = [
    Row("pm2", "program, fork mode", "`nodechannel.pm2`", "json", "packages/test_pm2.py"),
    Row(
        "pm2", "program, cluster mode", "`nodechannel.pm2`, `hop.cjs`", "json", "packages/test_pm2_cluster.py"
    ),
    Row("@pm2/io", "same metrics", "`nodechannel.pm2`", "–", "packages/test_pm2_metrics.py"),
    Row("nodemon", "program", "`hop.cjs`", "json", "packages/test_hop_package.py"),
    Row("workerpool", "worker", "`nodechannel.workers.serve`", "json", "packages/test_workers.py"),
    Row("jest-worker", "worker", "`nodechannel.workers.serve`", "json (set it)", "packages/test_workers.py"),
    Row("tinypool", "worker", "`nodechannel.workers.serve`", "json", "packages/test_workers.py"),
    Row("worker-farm", "worker", "`nodechannel.workers.serve`", "json", "packages/test_workers.py"),
    Row("bullmq", "sandboxed processor", "`nodechannel.workers.serve`", "json", "packages/test_bullmq.py"),
    Row("workerpool", "pool", "`nodechannel.workers.Pool`", "json", "packages/test_pool.py"),
    Row("jest-worker", "pool", "`nodechannel.workers.Pool`", "json", "packages/test_pool.py"),
    Row("vscode-jsonrpc", "either end", "`nodechannel.rpc`", "json", "packages/test_rpc.py"),
    Row("execa", "either end", "`nodechannel.execa`", "json (set it)", "packages/test_execa.py"),
    Row(
        "vscode-languageclient",
        "server, by pygls; tried with its connection, without VS Code",
        "`nodechannel.lsp`",
        "json",
        "packages/test_lsp.py",
    ),
    Row("pyright", "client", "`nodechannel.lsp.asyncio`", "json", "packages/test_lsp.py"),
    Row(
        "vscode-langservers-extracted", "client", "`nodechannel.lsp.asyncio`", "json", "packages/test_lsp.py"
    ),
    Row("typescript", "client", "`nodechannel.lsp.asyncio`", "json", "packages/test_lsp.py"),
    Row("node-ipc", "client or server", "`nodechannel.nodeipc`", "json", "packages/test_nodeipc.py"),
    Row("node-ipc-9", "client or server", "`nodechannel.nodeipc`", "json", "packages/test_nodeipc.py"),
    Row("redis", "producer or consumer", "`nodechannel.redis`", "json", "packages/test_redis.py"),
    Row("ioredis", "producer or consumer", "`nodechannel.redis`", "json", "packages/test_redis.py"),
    Row("rsmq", "producer or consumer", "`nodechannel.rsmq`", "text", "packages/test_rsmq.py"),
    Row("@nestjs/microservices", "client or service", "`nodechannel.nest`", "json", "packages/test_nest.py"),
    Row("throng", "worker", "`nodechannel.connect`", "json", "packages/test_recipes.py"),
    Row("concurrently", "child", "`nodechannel.connect`", "json", "packages/test_recipes.py"),
    Row("forever-monitor", "child", "`nodechannel.connect`", "json", "packages/test_recipes.py"),
    Row("foreground-child", "child", "`nodechannel.connect`", "json", "packages/test_recipes.py"),
]


def render() -> str:
    """Return the table."""
    versions = json.loads((PINS / "package.json").read_text())["dependencies"]
    lines = ["| package | version | Python is | with | serialization |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {row.package} | {versions[row.package].rpartition('@')[2]} | {row.python_is} | {row.with_} | {row.serialization} |"
        for row in ROWS
    ]
    return "\n".join(lines) + "\n"


def published() -> str:
    """Return the table that the README has now."""
    _, _, rest = README.read_text().partition(BEGIN)
    table, found, _ = rest.partition(END)
    assert found, f"README.md has no {END!r}"
    return table


def main() -> int:
    """Run the tests and write the table; return the exit status."""
    files = sorted({f"tests/{row.tests}" for row in ROWS} | {"tests/interop/test_hop.py"})
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", *files], cwd=ROOT, check=False)
    if run.returncode == 0:
        before, _, rest = README.read_text().partition(BEGIN)
        README.write_text(f"{before}{BEGIN}{render()}{END}{rest.partition(END)[2]}")
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
