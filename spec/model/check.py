"""Checks the models of the channel and of socket lists with `spin`, and that each broken model is found.

    python spec/model/check.py             the models, then every mutation
    python spec/model/check.py -k held     only the mutations whose name contains this

Needs `spin` and a C compiler; `make model` installs both on Debian. The moves of `channel.pml` come from the tables of the reference, so
a change there is checked here.
Exit status 1 when an assertion of a model fails, or a mutation is not found.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
if str(ROOT) not in sys.path:  # when started as a script
    sys.path.insert(0, str(ROOT))

from spec import generate  # noqa: E402 (needs the path)

DEADLOCK = "invalid end state"
# Seconds for one model.
_LIMIT = 600


@dataclass(frozen=True)
class Model:
    """A model with macros that are defined anew, and a table with changed moves.

    Attributes:
        name: how a report calls it.
        file: the Promela file.
        macros: names of macros and their new text.
        moves: (table, state, input) and the state that the mutation moves to; an empty state removes the move.
        fails: a part of the complaint of `spin` that is expected; empty for a model without errors.
        rules: the rules that are broken.
    """

    name: str
    file: str
    macros: tuple[tuple[str, str], ...] = ()
    moves: tuple[tuple[str, str, str, str], ...] = ()
    fails: str = ""
    rules: str = ""


def _broken(name: str, file: str, fails: str, rules: str, **macros: str) -> Model:
    return Model(name, file, tuple(macros.items()), fails=fails, rules=rules)


def _refused(name: str, fails: str, rules: str, **macros: str) -> Model:
    return _broken(name, "channel.pml", fails, rules, **{"SENDS": "1", "REFUSALS": "4"} | macros)


MODELS = (
    Model("channel", "channel.pml"),
    Model("channel, four refusals", "channel.pml", (("SENDS", "1"), ("REFUSALS", "4"))),
    Model("descriptors", "descriptors.pml"),
    Model("descriptors, with copies", "descriptors.pml", (("COPIES", "1"),)),
    Model("descriptors, with strays", "descriptors.pml", (("STRAYS", "1"),)),
    Model("lists", "lists.pml"),
)

_QUEUED_ANSWER = "if :: HOLDS_BACK -> held!kind, 0 :: !(HOLDS_BACK) -> out!kind, 0 fi"

MUTATIONS = (
    _broken(
        "a message passes a handle", "channel.pml", "number==(delivered", "HND-010",
        HOLDS_BACK="(kind == ENV && handover[me] != IDLE)",
    ),
    _broken("two handles under way", "channel.pml", "assertion violated 0", "HND-017", HOLDS_BACK="false"),
    _broken("held messages stay", "channel.pml", DEADLOCK, "HND-020", RELEASES="false"),
    _broken("answers wait behind a handle", "channel.pml", DEADLOCK, "HND-019", **{"ANSWER(kind)": _QUEUED_ANSWER}),
    _broken("no acknowledgement", "channel.pml", DEADLOCK, "HND-034", ACKNOWLEDGE="skip"),
    _broken(
        "two acknowledgements", "channel.pml", "unanswered", "HND-034, HND-050",
        ACKNOWLEDGE="answers!ACKED, 0; answers!ACKED, 0",
    ),
    _broken(
        "a refused message is delivered", "channel.pml", "number>delivered", "HND-037", WHEN_REFUSED="delivered[me] = number"
    ),
    _broken("the descriptor is closed once it is written", "channel.pml", "copies", "HND-024", WHEN_WRITTEN="copies[me]--"),
    _broken("a descriptor stays at the end", "channel.pml", "copies", "HND-025", AT_END="skip"),
    _broken("a disconnect does not wait for the queue", "channel.pml", "written", "LIF-011", MAY_CLOSE="true"),
    _broken(
        "a disconnect does not wait for the handle", "channel.pml", "unanswered", "LIF-012",
        MAY_CLOSE="(len(answers) == 0 && len(out) == 0 && len(held) == 0)",
    ),
    _broken("a disconnect never closes", "channel.pml", DEADLOCK, "LIF-010", MAY_CLOSE="false"),
    _broken("the end is told twice", "channel.pml", "ends", "LIF-001", TELL="ends[me] = ends[me] + 2"),
    _broken("a message after the end", "channel.pml", "ends", "LIF-003", READS="true"),
    _broken("the end before the last messages", "channel.pml", "len(wire", "LIF-004", SEES_END="closed[peer]"),
    Model(
        "a refusal does not write again", "channel.pml", moves=(("HAND_OVER", "AWAITING", "NACK", "AWAITING"),),
        fails="assertion violated 0", rules="HND-015",
    ),
    Model(
        "an acknowledgement is not expected", "channel.pml", moves=(("HAND_OVER", "AWAITING", "ACK", ""),),
        fails="assertion violated 0", rules="HND-034",
    ),
    Model(
        "a failed write is not expected", "channel.pml", moves=(("CHANNEL", "OPEN", "WRITE_FAILED", ""),),
        fails="assertion violated 0", rules="LIF-006",
    ),
    _broken(
        "a message is sent behind a disconnect", "channel.pml", "assertion violated 0", "LIF-014",
        MAY_SEND="(channel[me] == OPEN || channel[me] == DISCONNECTING)",
    ),
    _broken(
        "a message is sent after the end", "channel.pml", "assertion violated 0", "LIF-007",
        MAY_SEND="(channel[me] == OPEN || channel[me] == CLOSED)",
    ),
    _broken("an endpoint stays open at the end of its peer", "channel.pml", DEADLOCK, "LIF-002", SEES_END="false"),
    _broken("nothing is read while a disconnect waits", "channel.pml", DEADLOCK, "LIF-015", READS="(channel[me] == OPEN)"),
    _broken("an envelope without a descriptor has no answer", "channel.pml", DEADLOCK, "HND-012, HND-047", REFUSE="skip"),
    _broken("a copy is kept behind the acknowledgement", "channel.pml", "unsettled", "HND-055, SEC-006", WHEN_ACKNOWLEDGED="skip"),
    _refused("a copy is kept behind the last refusal", "unsettled", "HND-056", WHEN_GIVEN_UP="skip"),
    _refused("a handle is given up at the fifth refusal", "refusals", "HND-016", GIVE_UP_AT="5", REFUSALS="5"),
    _refused("a handle that is given up holds the rest back", DEADLOCK, "HND-023", AFTER_GIVING_UP="skip", SENDS="2"),
    _refused("a handle is lost in silence", "reported", "HND-054", REPORT="skip"),
    _broken("the newest descriptor is taken", "descriptors.pml", "fd==", "HND-030", NEWEST="true", COPIES="1"),
    _broken("a descriptor is closed before its envelope is whole", "descriptors.pml", "fd==", "HND-031", KEPT="0"),
    _broken("every descriptor is kept behind half a line", "descriptors.pml", "len(waiting)", "SEC-003", STRAYS="1", KEPT="8"),
    _broken("a descriptor that no envelope claims is kept", "descriptors.pml", "len(waiting)", "HND-008", STRAYS="1", UNFINISHED="true"),
    _broken("a read has no room for a descriptor", "descriptors.pml", "fd==", "HND-046", TAKES="skip"),
    _broken("closed is told without a question", "lists.pml", "closed", "SLS-005", DUE="(open == 0)"),
    _broken("closed is told too early", "lists.pml", "open==0", "SLS-016", DUE="due"),
    _broken("an announcement is answered again", "lists.pml", "closed", "SLS-020", SPEND="skip"),
    _broken("all connections are counted", "lists.pml", "arrived==open", "SLS-011", NUMBER="arrived"),
    _broken("questions are not answered", "lists.pml", DEADLOCK, "SLS-010", KNOWN="false"),
    _broken("an idle list does not answer", "lists.pml", DEADLOCK, "SLS-014", AT_ONCE="skip"),
    _broken("the last close is not told", "lists.pml", DEADLOCK, "SLS-015", AT_CLOSE="skip"),
)  # fmt: skip


def tables(changes: tuple[tuple[str, str, str, str], ...] = ()) -> str:
    """Return the moves of the reference's tables in Promela."""
    changed = {(table, state, move): to for table, state, move, to in changes}
    lines = ["/* Generated from the tables of the reference. */"]
    names: dict[str, int] = {}
    for table, inline in (("CHANNEL", "channel_move"), ("HAND_OVER", "handover_move")):
        moves = [
            (state, move, changed.get((table, state, move), to))
            for state, move, to in generate.transitions(ROOT, table)
        ]
        states = dict.fromkeys(name for state, _, to in moves for name in (state, to) if name)
        lines += [f"#define {name} {number}" for number, name in enumerate(states)]
        for _, move, _ in moves:
            names.setdefault(move, len(names))
        guards = [
            f"    :: state == {state} && move == {move} -> state = {to}" for state, move, to in moves if to
        ]
        rest = " && ".join(f"!(state == {state} && move == {move})" for state, move, to in moves if to)
        lines += [
            f"inline {inline}(state, move) {{",
            "    if",
            *guards,
            f"    :: {rest} -> assert(false)",
            "    fi",
            "}",
        ]
    return "\n".join([*(f"#define {name} {100 + number}" for name, number in names.items()), *lines]) + "\n"


def run(model: Model) -> tuple[str, str]:
    """Explore a model; return the complaint of `spin`, empty when it has none, and the number of states in words.

    Raises `RuntimeError` when the model is no Promela, or was not explored to its end.
    """
    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        text = (HERE / model.file).read_text("utf-8")
        head = "".join(f"#define {name} {value}\n" for name, value in model.macros)
        names = {name.partition("(")[0] for name, _ in model.macros}
        for name in names:  # a macro with arguments is not seen by #ifndef of spin's preprocessor alone
            text = re.sub(rf"#ifndef {name}\n#define [^\n]*\n#endif\n", "", text)
        (Path(folder) / "model.pml").write_text(head + text, "utf-8")
        (Path(folder) / "tables.pml").write_text(tables(model.moves), "utf-8")
        _command(folder, "spin", "-a", "model.pml")
        # A compiler that optimises takes longer than a search of few states.
        _command(
            folder,
            "cc",
            "-O1" if model in MODELS[:1] else "-O0",
            "-w",
            "-DSAFETY",
            "-DCOLLAPSE",
            "-DMEMLIM=4096",
            "-o",
            "pan",
            "pan.c",
        )
        said = _command(folder, "./pan", "-m2000000", "-w24")
    found = re.search(r"pan:1: (.*?) \(at depth", said)
    states = re.search(r"(\d+) states, stored", said)
    complete = "Search not completed" not in said
    if states is None or (found is None and not complete) or "max search depth too small" in said:
        raise RuntimeError(f"{model.name}: not explored to its end:\n{said}")
    return (found[1].replace(" ", " ") if found else ""), f"{int(states[1])} states"


def _command(folder: str, *words: str) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=_LIMIT, check=False)
    said = done.stdout + done.stderr
    if done.returncode != 0 and words[0] != "./pan":
        raise RuntimeError(f"{' '.join(words)}:\n{said}")
    return said


def judge(model: Model) -> tuple[bool, str]:
    """Return whether a model shows what is expected of it, and a line about it."""
    found, states = run(model)
    good = (model.fails in found) if model.fails else not found
    shown = found or "no error"
    label = f"{model.name} ({model.rules})" if model.rules else model.name
    return good, f"{'ok  ' if good else 'FAIL'} {label}: {shown}, {states}"


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description="checks the models of the channel with spin")
    parser.add_argument("-k", default="", help="only models whose name contains this")
    parser.add_argument("-j", type=int, default=2, help="models at a time")
    options = parser.parse_args()
    for program in ("spin", "cc"):
        if shutil.which(program) is None:
            print(f"{program} is needed: on Debian, apt-get install spin gcc", file=sys.stderr)
            return 2
    chosen = [model for model in (*MODELS, *MUTATIONS) if options.k in model.name]
    with ThreadPoolExecutor(options.j) as pool:
        verdicts = []
        for good, line in pool.map(judge, chosen):
            print(line, flush=True)
            verdicts.append(good)
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    raise SystemExit(main())
