"""Runs every mutant against the cases of the rules that it breaks, and writes the table of killers to ``MUTANTS.md``.

``python conformance/mutants/kill.py`` compares the committed table, and ``--write`` writes it. ``--sources DIR`` writes the mutants as
programs. ``-k NAME`` runs the mutants with NAME in their names. A run can be cut: ``--share 2/8 --keep FILE`` runs the second of eight
shares, and ``--join FILE…`` makes the table of all of them.
"""

import argparse
import difflib
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from channelkit.catalogue.cases import Case  # noqa: E402
from channelkit.catalogue.loading import shipped  # noqa: E402
from channelkit.catalogue.verdict import FAIL, INCONCLUSIVE, LENIENT  # noqa: E402
from channelkit.judge.execute import execute  # noqa: E402
from channelkit.judge.runner import posed  # noqa: E402
from channelkit.judge.subjects import HANDLES as TYPES  # noqa: E402
from channelkit.judge.subjects import Description  # noqa: E402
from channelkit.limits import Limits  # noqa: E402
from channelkit.resources import rules  # noqa: E402
from mutants.catalogue import MUTANTS, Mutant  # noqa: E402

TABLE = HERE.parent / "MUTANTS.md"
BASE = HERE / "peer.py"
CLUSTER_BASE = HERE / "cluster_peer.py"
ADVANCED_BASE = HERE / "advanced_peer.py"
WINDOWS_FORM = HERE / "windows_form.py"
SCALE = 0.6
"""A factor for the limits of time. Many cases wait in vain for a mutant, so shorter limits make the run shorter."""

HANDLES = (*TYPES, "receive:net.BoundSocket", "socket-lists")
"""The capabilities of the echo child."""

Kills = dict[str, list[str]]
"""Name of a mutant to the ids of the cases that it fails, among those of its rules."""


def base_of(role: str) -> Path:
    """The program that the mutants of a role are made of."""
    if role in ("advanced", "advanced-echo"):
        return ADVANCED_BASE
    return CLUSTER_BASE if role in ("worker", "primary") else BASE


def base_text(role: str) -> str:
    """The text of that program. In the form of Windows ``windows_form.py`` replaces a part of ``peer.py``, before its last line."""
    base = base_of(role).read_text("utf-8")
    if not role.startswith("windows"):
        return base
    head, last = base.rstrip("\n").rsplit("\n", 1)
    return f"{head}\n{WINDOWS_FORM.read_text('utf-8')}\n\n{last}\n"


def source(mutant: Mutant) -> str:
    """The program of a mutant. Raises :class:`ValueError` when the replaced text is not there exactly once."""
    base = base_text(mutant.role)
    if base.count(mutant.old) != 1:
        raise ValueError(f"{mutant.name}: its text stands {base.count(mutant.old)} times in its base")
    return base.replace(mutant.old, mutant.new)


def write_sources(folder: Path, mutants: Iterable[Mutant] = MUTANTS) -> None:
    """Writes each mutant as a program."""
    folder.mkdir(parents=True, exist_ok=True)
    for mutant in mutants:
        (folder / f"{mutant.name}.py").write_text(source(mutant), "utf-8")


def subject(folder: Path, mutant: Mutant) -> Description:
    """How to start a mutant."""
    role, rung, words = {
        "codec": ("codec", 0, ()),
        "child": ("child", 2, ()),
        "echo": ("child", 0, ("echo",)),
        "parent": ("parent", 3, ()),
        "worker": ("worker", 0, ("worker",)),
        "primary": ("primary", 0, ("primary",)),
        "advanced": ("child", 1, ()),
        "advanced-echo": ("child", 0, ("echo",)),
        "windows": ("child", 2, ()),
        "windows-echo": ("child", 0, ("echo",)),
    }[mutant.role]
    command = (sys.executable, "-I", "-S", str(folder / f"{mutant.name}.py"), *words)
    mode = "advanced" if base_of(mutant.role) == ADVANCED_BASE else "json"
    handles = HANDLES if role == "child" and mode == "json" else ()
    wire = "windows" if mutant.role.startswith("windows") else "posix"
    return Description(mutant.name, role, rung, command, "", capabilities=handles, mode=mode, wire=wire)


def concerned(mutant: Mutant, cases: Sequence[Case]) -> list[Case]:
    """The cases of the rules that a mutant breaks, as posed to the mutant."""
    one = subject(Path(), mutant)
    found = (posed(case, one) for case in cases if set(case.rules) & set(mutant.breaks))
    return [case for case in found if case is not None]


def kills(mutants: Sequence[Mutant], cases: Sequence[Case], folder: Path) -> Kills:
    """Runs the mutants. Raises :class:`RuntimeError` when a case is inconclusive."""
    write_sources(folder, mutants)
    found: Kills = {mutant.name: [] for mutant in mutants}
    # The longest cases come first, so that the run does not end with a wait for a single case.
    work = [(mutant, case) for mutant in mutants for case in concerned(mutant, cases)]
    work.sort(key=lambda pair: "FRM-023" not in pair[1].rules)

    def run(pair: tuple[Mutant, Case]) -> None:
        mutant, case = pair
        if is_killed(mutant, case, folder):
            found[mutant.name].append(case.id)

    with ThreadPoolExecutor(10 * (os.cpu_count() or 1)) as pool:
        list(pool.map(run, work))
    return {name: sorted(ids) for name, ids in found.items()}


def is_killed(mutant: Mutant, case: Case, folder: Path) -> bool:
    """Whether a case kills a mutant, whose program is in ``folder``. Raises :class:`RuntimeError`.

    A killed mutant fails the case. For a mutant that breaks only recommendations, the verdict lenient is enough.
    """
    result = execute(case, subject(folder, mutant), Limits(SCALE), threading.Event(), brief=True)
    verdict = result.judgement.verdict
    if verdict == INCONCLUSIVE:
        raise RuntimeError(f"{mutant.name}, {case.id}: {result.judgement.seen.text}")
    return verdict == FAIL or (verdict == LENIENT and not set(mutant.breaks) & absolute_rules())


@cache
def absolute_rules() -> frozenset[str]:
    """The rules with MUST or MUST NOT."""
    return frozenset(rule for rule, text in rules().items() if " MUST " in text)


def shown_rules(cases: Sequence[Case]) -> list[str]:
    """The absolute rules that a case of level MUST shows."""
    return sorted({rule for case in cases if case.level == "MUST" for rule in case.rules} & absolute_rules())


def shown_recommendations(cases: Sequence[Case]) -> list[str]:
    """The rules with SHOULD that a case shows."""
    recommended = {rule for rule, text in rules().items() if " SHOULD " in text}
    return sorted({rule for case in cases for rule in case.rules} & recommended)


def survivors(found: Kills) -> list[str]:
    """Mutants that no case kills."""
    return [name for name, ids in found.items() if not ids]


def harmless_rules(found: Kills, cases: Sequence[Case]) -> list[str]:
    """Rules that kill no mutant: no case that names the rule kills a mutant that names the rule."""
    by_id = {case.id: case for case in cases}
    deadly = {
        rule
        for mutant in MUTANTS
        for case_id in found.get(mutant.name, ())
        for rule in set(by_id[case_id].rules) & set(mutant.breaks)
    }
    return [rule for rule in (*shown_rules(cases), *shown_recommendations(cases)) if rule not in deadly]


def table(found: Kills, cases: Sequence[Case]) -> str:
    """The text of ``MUTANTS.md``."""
    without = harmless_rules(found, cases)
    counted = [
        (kind, shown, sum(rule not in without for rule in shown))
        for kind, shown in (
            ("absolute rules", shown_rules(cases)),
            ("recommendations", shown_recommendations(cases)),
        )
    ]
    lines = [
        "# Who judges the judge",
        "",
        "Generated by `make mutants`; do not edit. Each mutant is a peer that passes every case, with a small",
        "replacement. A case kills a mutant when the mutant fails it, and when it names a rule that the mutant breaks.",
        "",
        f"{len(MUTANTS)} mutants, {len(MUTANTS) - len(survivors(found))} killed.",
        *(
            f"{number} of {len(shown)} {kind} that a case shows kill at least one."
            for kind, shown, number in counted
        ),
        "",
        *([f"Rules that kill none: {', '.join(without)}.", ""] if without else []),
        "| mutant | role | fault: the peer … | rules | killed by |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [row(mutant, found[mutant.name]) for mutant in MUTANTS]
    return "\n".join(lines) + "\n"


def row(mutant: Mutant, killers: Sequence[str]) -> str:
    """A line of the table."""
    cells = (
        mutant.name,
        mutant.role,
        mutant.does,
        ", ".join(mutant.breaks),
        ", ".join(killers) or "**no case**",
    )
    return f"| {' | '.join(cells)} |"


def committed() -> Kills:
    """The killers of each mutant according to the committed table."""
    rows = [
        line.strip("| ").split(" | ") for line in TABLE.read_text("utf-8").splitlines() if line[:2] == "| "
    ]
    return {cells[0]: [one for one in cells[-1].split(", ") if one != "**no case**"] for cells in rows[2:]}


def difference(text: str) -> list[str]:
    """How the committed table differs."""
    committed = TABLE.read_text("utf-8").splitlines()
    return list(difflib.unified_diff(committed, text.splitlines(), "committed", "found", n=0, lineterm=""))


def share(text: str) -> list[Mutant]:
    """The mutants of a share such as ``2/8``. Neighbours cost alike, so each share takes every eighth."""
    number, _sign, count = text.partition("/")
    return list(MUTANTS[int(number) - 1 :: int(count)])


def joined(files: Iterable[Path]) -> Kills:
    """The killers that shares have kept. Raises :class:`ValueError` when a mutant is in none of them."""
    found: Kills = {}
    for file in files:
        found |= json.loads(file.read_text("utf-8"))
    if missing := [mutant.name for mutant in MUTANTS if mutant.name not in found]:
        raise ValueError(f"no share has {', '.join(missing)}")
    return found


def judged(found: Kills, cases: Sequence[Case], say: Callable[[str], None], *, write: bool) -> int:
    """Compares the table of a whole run with the committed table, or writes it."""
    text = table(found, cases)
    if write:
        TABLE.write_text(text, "utf-8")
    faults = [*difference(text), *(f"survives: {name}" for name in survivors(found))]
    for line in faults:
        say(line)
    return int(bool(faults))


def main(say: Callable[[str], None] = print) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write MUTANTS.md")
    parser.add_argument(
        "--sources", type=Path, metavar="DIR", help="write the mutants to this directory and run no case"
    )
    parser.add_argument(
        "-k", dest="part", default="", help="only mutants with this text in their names; prints their killers"
    )
    parser.add_argument("--share", default="1/1", metavar="K/N", help="only the K-th of N shares")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="write the killers to this file")
    parser.add_argument(
        "--join", type=Path, nargs="+", metavar="FILE", help="run no case and take the killers of these files"
    )
    arguments = parser.parse_args()
    mutants = [mutant for mutant in share(arguments.share) if arguments.part in mutant.name]
    if arguments.sources:
        write_sources(arguments.sources, mutants)
        return 0
    cases = shipped()
    if arguments.join:
        return judged(joined(arguments.join), cases, say, write=arguments.write)
    with tempfile.TemporaryDirectory() as folder:
        found = kills(mutants, cases, Path(folder))
    if arguments.keep:
        arguments.keep.write_text(json.dumps(found), "utf-8")
        return 0
    if len(mutants) < len(MUTANTS):
        for name, ids in found.items():
            say(f"{name}: {', '.join(ids) or 'no case'}")
        return int(bool(survivors(found)))
    return judged(found, cases, say, write=arguments.write)


if __name__ == "__main__":
    sys.exit(main())
