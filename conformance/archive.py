"""Builds ``build/channelkit.pyz``: the kit and its data in a single file that every Python from 3.11 on runs.

The table ``data`` of ``pyproject.toml`` lists the files beside the package, as for the wheel.
"""

import shutil
import sys
import tempfile
import tomllib
import zipapp
from pathlib import Path

HERE = Path(__file__).resolve().parent


def build(target: Path) -> None:
    """Writes the archive."""
    table = tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))
    included = table["tool"]["hatch"]["build"]["hooks"]["custom"]["data"]
    ignore = shutil.ignore_patterns("__pycache__")
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        shutil.copytree(HERE / "channelkit", stage / "channelkit", ignore=ignore)
        for source, place in included.items():
            (stage / place).parent.mkdir(parents=True, exist_ok=True)
            if (HERE / source).is_dir():
                shutil.copytree(HERE / source, stage / place, ignore=ignore)
            else:
                shutil.copyfile(HERE / source, stage / place)
        (stage / "__main__.py").write_text(
            "import sys\n\nfrom channelkit.cli.entry import main\n\nsys.exit(main())\n", "utf-8"
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        zipapp.create_archive(stage, target, interpreter="/usr/bin/env python3", compressed=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if sys.argv[1:] else HERE.parent / "build" / "channelkit.pyz")
