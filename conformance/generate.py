"""Writes the files that follow from the tables of channelkit: ``schemas/kit/case.json`` and tables of ``conformance/README.md``.

python conformance/generate.py           writes
python conformance/generate.py --check   compares, and fails when a file would change
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from channelkit.catalogue.members import MEMBERS, document  # noqa: E402
from channelkit.steps.expect import AWAITED  # noqa: E402
from channelkit.steps.kinds import KINDS, Kind  # noqa: E402

SCHEMA = HERE.parent / "schemas" / "kit" / "case.json"
README = HERE / "README.md"


def _members() -> str:
    return _table(["member", "meaning"], [[f"`{name}`", member.meaning] for name, member in MEMBERS.items()])


def _steps() -> str:
    return _table(["step", "meaning"], [[_shape(kind), _meaning(kind)] for kind in KINDS.values()])


def _shape(kind: Kind) -> str:
    members = "".join(f', "{name}": {_sample(name)}' for name in kind.members)
    return f'`{{"{kind.name}": {kind.example}{members}}}`'


def _sample(name: str) -> str:
    return {"text": "T", "name": "N", "steps": "[STEP…]", "most": "F"}[name]


def _meaning(kind: Kind) -> str:
    roles = f" Roles {' and '.join(f'`{role}`' for role in kind.roles)}" if kind.roles else ""
    rung = f", as child from rung {kind.rung} on" if kind.rung else ""
    return f"{kind.meaning}.{roles}{rung}{'.' if roles else ''}"


def _expectations() -> str:
    rows = [[f'`{{"{name}": {one.example}}}`', f"{one.meaning}."] for name, one in AWAITED.items()]
    return _table(["expectation", "comes true when"], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


PARTS: dict[str, Callable[[], str]] = {
    "members": _members,
    "steps": _steps,
    "expectations": _expectations,
}


def filled(text: str) -> str:
    """A Markdown text with every generated part made anew."""
    return re.sub(
        r"(<!-- generated: (\w+) -->\n\n).*?(\n\n<!-- end -->)",
        lambda found: found[1] + PARTS[found[2]]() + found[3],
        text,
        flags=re.DOTALL,
    )


def outputs() -> dict[Path, str]:
    """Every file with the text that it must have."""
    return {
        SCHEMA: json.dumps(document(), indent=2, ensure_ascii=False) + "\n",
        README: filled(README.read_text("utf-8")),
    }


def main(arguments: list[str]) -> int:
    """Writes or compares; returns the exit status."""
    stale = [path for path, text in outputs().items() if path.read_text("utf-8") != text]
    for path in stale:
        if "--check" in arguments:
            print(f"{path}: not up to date; run `python conformance/generate.py`")
        else:
            path.write_text(outputs()[path], "utf-8")
            print(f"{path}: written")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
