"""Puts the kit's data into its distributions. A source distribution has it inside of the package already."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class DataHook(BuildHookInterface[Any]):
    """Adds the files of the table ``data`` in ``pyproject.toml``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Names the files; an editable installation reads them where they are."""
        root = Path(self.root)
        if version == "editable" or (root / "channelkit" / "data").is_dir():
            return
        for source, place in self.config["data"].items():
            build_data["force_include"][str(root / source)] = place
