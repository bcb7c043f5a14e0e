"""Builds ``build/channelkit.pyz``: the kit and its data in one file that any Python from 3.11 on runs.

What goes in is what goes into the wheel: the table of ``pyproject.toml`` says it.
"""

import shutil
import sys
import tempfile
import tomllib
import zipapp
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build(target: Path) -> None:
    """Writes the archive."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    included = table["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    ignore = shutil.ignore_patterns("__pycache__")
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        shutil.copytree(ROOT / "conformance" / "channelkit", stage / "channelkit", ignore=ignore)
        for source, place in included.items():
            if not place.startswith("channelkit/"):
                continue
            (stage / place).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, stage / place, ignore=ignore)
            else:
                shutil.copyfile(ROOT / source, stage / place)
        (stage / "__main__.py").write_text(
            "import sys\n\nfrom channelkit.cli.main import main\n\nsys.exit(main())\n", "utf-8"
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        zipapp.create_archive(stage, target, interpreter="/usr/bin/env python3", compressed=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "build" / "channelkit.pyz")
