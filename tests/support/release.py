"""A rehearsal of a release, without publishing: workflows, builds, metadata, an installation on each Python, the README from there."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from support.node import ROOT
from support.tour import Tour

DISTRIBUTIONS = {"nodechannel": ROOT, "channelkit": ROOT / "conformance"}
MINORS = range(11, 16)
OUTPUT = ROOT / "build" / "release"
# Seconds for a command: the machine may be busy, and the kit judges a program for a minute then.
LIMIT = 600


def main() -> int:
    """Run all steps; raises the error of the step that fails."""
    check_workflows()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        for target in (first, second):
            build(target)
        different = [path.name for path in first.iterdir() if digest(path) != digest(second / path.name)]
        if different:
            raise SystemExit(f"two builds differ: {', '.join(different)}")
        shutil.copytree(first, OUTPUT)
    run(sys.executable, "-m", "twine", "check", "--strict", *map(str, sorted(OUTPUT.iterdir())))
    for interpreter in interpreters():
        install_and_follow(interpreter)
    names = "\n".join(f"{digest(path)}  {path.name}" for path in sorted(OUTPUT.iterdir()))
    print(names)
    return 0


def check_workflows() -> None:
    """Compare the files for GitHub with the schemas that GitHub's editors use; the package brings them along."""
    kinds = {
        "github-workflows": sorted(ROOT.glob(".github/workflows/*.yml")),
        "github-actions": [ROOT / "conformance" / "action" / "action.yml"],
    }
    for kind, files in kinds.items():
        run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{kind}", *map(str, files))


def build(target: Path) -> None:
    """Build wheel and sdist of both distributions from the files that git knows, each with the date of the last commit."""
    date = run("git", "-C", str(ROOT), "log", "-1", "--format=%ct").strip()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "source")
        run("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(copy))
        for source in DISTRIBUTIONS.values():
            place = copy / source.relative_to(ROOT)
            run(sys.executable, "-m", "build", "--outdir", str(target), str(place), SOURCE_DATE_EPOCH=date)


def interpreters() -> list[str]:
    """Return a Python of each version from 3.11 on that is on PATH, or that pyenv keeps off it."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = []
    for minor in MINORS:
        name = f"python3.{minor}"
        on_path = shutil.which(name)
        candidates = [on_path] if on_path else []
        candidates += map(str, sorted(kept.glob(f"3.{minor}.*/bin/{name}")))
        found += [path for path in candidates if works(path)][:1]
    return found


def works(interpreter: str) -> bool:
    """Return whether an interpreter starts: a shim of pyenv may stand for a version that is not active."""
    return subprocess.run([interpreter, "-c", ""], capture_output=True, check=False).returncode == 0


def install_and_follow(interpreter: str) -> None:
    """Install both wheels in a fresh environment, write its bill of materials, and follow the README there."""
    version = run(interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder, "venv")
        run(interpreter, "-m", "venv", str(fresh))
        python = str(fresh / "bin" / "python")
        wheels = map(str, sorted(OUTPUT.glob("*.whl")))
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wheels)
        run(python, "-m", "pip", "check")
        bill = Path(folder, "bill.json")
        run(
            sys.executable,
            "-m",
            "cyclonedx_py",
            "environment",
            "--output-reproducible",
            "-o",
            str(bill),
            python,
        )
        parts = {part["name"] for part in json.loads(bill.read_text("utf-8"))["components"]}
        if not {"nodechannel", "channelkit"} <= parts:
            raise SystemExit(f"the bill of materials has {', '.join(sorted(parts))}")
        shutil.copyfile(bill, OUTPUT / f"bill-python{version}.cdx.json")
        for title, section in readme_sections().items():
            place = Path(folder, re.sub(r"\W+", "-", title))
            place.mkdir()
            Tour(place, python, LIMIT).follow(section)
            print(f"Python {version}: {title}")


def readme_sections() -> dict[str, str]:
    """Return the stops of the README's tour."""
    text = (ROOT / "README.md").read_text("utf-8")
    tour = text[text.index("## Five minutes") : text.index("## Abilities and limits")]
    return dict(re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", tour, re.MULTILINE | re.DOTALL))


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(*words: str, **environment: str) -> str:
    """Run a command; return its output, or end with its error text."""
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=LIMIT, check=False, env={**os.environ, **environment}
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
