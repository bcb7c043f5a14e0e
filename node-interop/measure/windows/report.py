r"""Looks at a real machine with Windows, and prints a text for an issue.

    set PYTHONPATH=node-interop
    set PYTHONUTF8=1
    python -m measure.windows.report

It needs Node on PATH, no network and no administrator. It starts some forty short processes of Node and takes a minute or two.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import json
import os
import platform
import shutil
import subprocess
import tempfile
import venv
from pathlib import Path

from measure.windows.rows import ROWS, facts_of_a_child

RECORD = Path(__file__).resolve().parents[3] / "spec" / "measured-windows.json"


def machine(node: str) -> list[str]:
    """Return lines about the machine and its programs."""
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return [
        f"- system: {platform.platform()}, {platform.machine()}",
        f"- Python: {platform.python_version()}, {'in a venv' if sys.prefix != sys.base_prefix else 'no venv'}",
        f"- Node: {version}",
        f"- console: {'yes' if sys.stdout.isatty() else 'no'}; code page {sys.stdout.encoding}; CI {os.environ.get('CI', 'no')}",
    ]


def measured(node: str) -> dict[str, str]:
    """Return the cells of all rows; a row that fails says how."""
    cells = {}
    for number, (id_, _question, measure) in enumerate(ROWS, 1):
        print(f"{number} of {len(ROWS)}: {id_}", file=sys.stderr)
        try:
            cells[id_] = measure(node)
        except Exception as error:
            cells[id_] = f"FAILED: {type(error).__name__}: {error}"
    return cells


def compared(cells: dict[str, str]) -> list[str]:
    """Return the rows of a table: those that are not as the record of Wine has them."""
    rows = {row["id"]: row for row in json.loads(RECORD.read_text("utf-8"))["rows"]}
    return [
        f"| {id_} | {rows[id_]['question']} | {cell} | {'; '.join(sorted(set(rows[id_]['cells'].values())))} |"
        for id_, cell in cells.items()
        if id_ in rows and cell not in rows[id_]["cells"].values()
    ]


def launcher(node: str) -> str:
    """Return what the Python of a venv finds about its channel: its program is a launcher of the real one."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        venv.create(folder)
        return json.dumps(facts_of_a_child(node, str(Path(folder) / "Scripts" / "python.exe")))


def main() -> None:
    """Print the report."""
    node = shutil.which("node")
    if node is None:
        sys.exit("no node on PATH")
    cells = measured(node)
    different = compared(cells)
    print("### The machine\n", *machine(node), sep="\n")
    print(f"\n### {len(cells) - len(different)} of {len(cells)} rows are as under Wine\n")
    if different:
        print("| row | question | here | under Wine |\n| --- | --- | --- | --- |", *different, sep="\n")
    try:
        found = launcher(node)
    except Exception as error:
        found = f"FAILED: {type(error).__name__}: {error}"
    print(
        f"\n### Behind the launcher of a venv\n\n`{found}`\n\n### All rows\n\n```json\n{json.dumps(cells, indent=1)}\n```"
    )


if __name__ == "__main__":
    main()
