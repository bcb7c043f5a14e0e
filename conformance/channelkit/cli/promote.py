"""``channelkit promote``: makes the case that a fuzzer found, as it stands in its file, or a recording a permanent case."""

import argparse
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from channelkit.catalogue.form import written
from channelkit.catalogue.loading import load, load_file
from channelkit.cli.damaged import sound
from channelkit.errors import UsageError
from channelkit.lint.linter import lint
from channelkit.resources import case_files, find
from channelkit.tap.ascase import as_case
from channelkit.tap.record import SUFFIX

_ANY = "FRM-020"
"""The rule of a case whose recording breaks no rule."""
TOPIC = "fuzz"
"""Promoted cases are of this topic: their ids begin with it."""


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="a file with a single case, as a fuzzer saves it, or a recording",
    )
    parser.add_argument("--id", help=f"the permanent id of the case, {TOPIC}-… (default: the id in the file)")
    parser.add_argument(
        "--title",
        help="the title of the case, a sentence that states a fact (default: the title in the file)",
    )
    parser.add_argument(
        "--guards", help="the bug that the case guards against (default: the text in the file)"
    )
    parser.add_argument(
        "--cases", type=Path, metavar="DIR", help="the directory of a catalogue (default: the kit's own)"
    )
    parser.set_defaults(action=act)


def act(arguments: argparse.Namespace) -> int:
    """Adds the case to the catalogue. Raises :class:`UsageError` when it is no case or its id is taken."""
    folder: Path = arguments.cases or find("cases")
    if not folder.is_dir():
        raise UsageError(f"{folder} is no directory; --cases names that of a catalogue")
    changes = {name: getattr(arguments, name) for name in ("id", "title", "guards")}
    file = arguments.file
    with tempfile.TemporaryDirectory() as place:
        if file.suffix == SUFFIX:
            file = case_of_recording(file, Path(place))
        case = promoted(file, {name: text for name, text in changes.items() if text})
    if case["id"] in {one.id for one in load(case_files(folder))}:
        raise UsageError(f"there is a case {case['id']} already; give another --id")
    target = folder / f"{TOPIC}.json"
    content: dict[str, Any] = {"topic": TOPIC, "cases": []}
    if target.exists():
        content = json.loads(target.read_text("utf-8"))
    content["cases"].append(case)
    try:
        target.write_text(written(content), "utf-8")
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from error
    print(f"{target}: {case['id']}. Replay it: channelkit replay {case['id']} --subjects DIR")
    return 0


def case_of_recording(recording: Path, folder: Path) -> Path:
    """A file with the case that a recording makes; its rules are those that are broken in it. Raises :class:`UsageError`."""
    content = sound(recording)
    broken = sorted({found.rule for found in lint(content.header, content.entries)})
    digest = hashlib.sha256(recording.read_bytes()).hexdigest()[:8]
    case = as_case(content, f"{TOPIC}-{digest}", broken or [_ANY])
    file = folder / f"{TOPIC}.json"
    file.write_text(json.dumps({"topic": TOPIC, "cases": [case]}), "utf-8")
    return file


def promoted(file: Path, changes: dict[str, str]) -> dict[str, Any]:
    """The single case of a file with these changes. Raises :class:`UsageError` when there is no case or a second case."""
    if len(load_file(file)) != 1:
        raise UsageError(f"{file}: must hold exactly one case")
    case: dict[str, Any] = {**json.loads(file.read_text("utf-8"))["cases"][0], **changes}
    if not case["id"].startswith(f"{TOPIC}-"):
        raise UsageError(f"the id of a promoted case begins with {TOPIC}-, not {case['id']}; give --id")
    return case
