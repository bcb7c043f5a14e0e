"""``channelkit pack``: a folder for each known deviation of a runtime, ready to be filed with its authors."""

import argparse
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from channelkit.catalogue.cases import Case
from channelkit.catalogue.loading import shipped
from channelkit.errors import UsageError
from channelkit.judge.known import read
from channelkit.resources import find, rules
from channelkit.runtimes.pinned import runtimes
from channelkit.wire.visible import visible

REPRODUCTION = "reproduction.cjs"
_ON_THE_WIRE = ("write", "expect", "close_channel")
_WORDS = {"deno": " deno run -A", "bun": " bun", "node": ""}


@dataclass(frozen=True, slots=True)
class Pack:
    """A reproduction, and the reasons of the known lists that it shows."""

    name: str
    families: tuple[str, ...]
    reasons: tuple[str, ...]
    expected: str

    @property
    def script(self) -> Path:
        """The program in the kit's data."""
        return find(f"packs/{self.name}.cjs")


@dataclass(frozen=True, slots=True)
class Deviation:
    """The cases and the releases that a known list names with one reason."""

    cases: tuple[str, ...]
    releases: tuple[str, ...]


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("folder", type=Path, help="a new directory for the packs")
    parser.add_argument("--runtime", choices=("node", "bun", "deno"), help="only the packs of this runtime")
    parser.set_defaults(action=act)


def act(arguments: argparse.Namespace) -> int:
    """Writes the packs, and prints each deviation that has none, with the cause."""
    target: Path = arguments.folder
    if target.exists():
        raise UsageError(f"{target} exists already: name a new directory")
    catalogue = {case.id: case for case in shipped()}
    found, shown = deviations(), set[tuple[str, str]]()
    for pack in packs():
        for family in pack.families:
            if arguments.runtime in (None, family):
                _write(target / f"{family}-{pack.name}", pack, family, found, catalogue)
            shown.update((family, reason) for reason in pack.reasons)
    causes = without()
    for family, reason in sorted(set(found) - shown):
        if arguments.runtime in (None, family):
            print(
                f"no reproduction: {family}: {reason} ({causes.get((family, reason), 'nobody wrote it yet')})"
            )
    return 0


def packs() -> list[Pack]:
    """The reproductions of the kit."""
    return [
        Pack(entry["name"], tuple(entry["families"]), tuple(entry["reasons"]), entry["expected"])
        for entry in _index()["packs"]
    ]


def without() -> dict[tuple[str, str], str]:
    """The cause why a deviation has no pack, by the family of the runtime and the reason in its known lists."""
    return {
        (family, entry["reason"]): entry["why"]
        for entry in _index()["without"]
        for family in entry["families"]
    }


def _index() -> dict[str, list[dict[str, Any]]]:
    content: dict[str, list[dict[str, Any]]] = json.loads(
        find("packs/packs.json").read_text(encoding="utf-8")
    )
    return content


def deviations() -> dict[tuple[str, str], Deviation]:
    """Each deviation of a supported runtime, by the family of the runtime and the reason in its known lists."""
    found: dict[tuple[str, str], Deviation] = {}
    for family, release, case, reason in _entries():
        old = found.get((family, reason), Deviation((), ()))
        found[family, reason] = Deviation(
            tuple(dict.fromkeys((*old.cases, case))), tuple(dict.fromkeys((*old.releases, release)))
        )
    return found


def _entries() -> Iterator[tuple[str, str, str, str]]:
    for runtime in runtimes():
        if runtime.historical:
            continue
        family = runtime.name.partition("@")[0]
        for role in ("child", "parent", "worker", "primary"):
            listed = find("known/matrix") / f"{runtime.name}-{role}.txt"
            if listed.exists():
                for case, failure in read(listed).items():
                    yield family, f"{family} {runtime.version}".rstrip(), case, failure.reason


def _write(
    folder: Path,
    pack: Pack,
    family: str,
    found: Mapping[tuple[str, str], Deviation],
    catalogue: Mapping[str, Case],
) -> None:
    folder.mkdir(parents=True)
    shutil.copyfile(pack.script, folder / REPRODUCTION)
    known = [found[family, reason] for reason in pack.reasons if (family, reason) in found]
    cases = [catalogue[name] for one in known for name in one.cases if name in catalogue]
    releases = dict.fromkeys(release for one in known for release in one.releases)
    lines = [f"# {pack.reasons[0]}", "", f"Expected: {pack.expected}", ""]
    lines += ["## Versions", "", ", ".join(releases), "", "Measured on Linux x86_64.", ""]
    lines += ["## Reproduction", "", f"    node {REPRODUCTION}{_WORDS[family]}", ""]
    lines += [
        "The last line begins with DEVIATES, and the exit status is 1. The script itself needs Node 20.",
        "",
    ]
    lines += ["## Rules", "", *_rules(cases), "", "## Bytes", "", *_bytes(cases[:1]), ""]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")


def _rules(cases: list[Case]) -> list[str]:
    texts = rules()
    named = dict.fromkeys(rule for case in cases for rule in case.rules)
    return [f"- {rule}: {texts.get(rule, '')}" for rule in named]


def _bytes(cases: list[Case]) -> list[str]:
    """The steps of a case that pass over the channel, one a line."""
    return [
        f"    {visible(json.dumps(step, ensure_ascii=False))}"
        for case in cases
        for step in case.folded or case.steps
        if any(kind in step for kind in _ON_THE_WIRE)
    ]
