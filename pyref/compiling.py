"""The compiled build of the codec of advanced mode: opt-in, from the same source files.

A module with a `.pxd` file beside it is compiled by Cython. That file only declares types; the Python file stays the definition, and serves
where nothing was compiled. Wheels are pure unless the environment has ``NODECHANNEL_COMPILED=1``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SWITCH = "NODECHANNEL_COMPILED"
# The declared types are those of the `.pxd` files alone: an annotation would change what a module accepts.
DIRECTIVES = {"language_level": 3, "annotation_typing": False}


def wanted() -> bool:
    """Tell whether the build shall be compiled."""
    return os.environ.get(SWITCH, "0") not in ("", "0")


class CompiledHook(BuildHookInterface[Any]):
    """Adds extension modules to the wheel, where they are wanted."""

    _folder: Path | None = None

    def dependencies(self) -> list[str]:
        """Return what such a build needs, besides a compiler for C and the headers of Python."""
        return ["cython>=3.1", "setuptools>=70"] if wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; the wheel then serves the interpreter and the platform of this build."""
        if not wanted() or version == "editable":
            return
        package = Path(self.root) / "pyref"
        self._folder = Path(tempfile.mkdtemp())
        for built in compiled(package, self._folder):
            build_data["force_include"][str(built)] = built.relative_to(self._folder).as_posix()
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, *_about_the_wheel: object) -> None:
        """Remove the modules that are in the wheel now."""
        if self._folder is not None:
            shutil.rmtree(self._folder)


def compiled(package: Path, folder: Path) -> list[Path]:
    """Compile the modules below `package` that have declared types; return the files, below `folder` as they are to be installed."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    sources = sorted(path.with_suffix(".py") for path in package.rglob("*.pxd"))
    with tempfile.TemporaryDirectory() as texts:
        extensions = cythonize(
            [
                Extension(".".join(source.relative_to(package).with_suffix("").parts), [str(source)])
                for source in sources
            ],
            include_path=[str(package)],
            build_dir=texts,
            compiler_directives=DIRECTIVES,
            quiet=True,
        )
        command = Distribution({"ext_modules": extensions}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(folder), texts
        command.ensure_finalized()
        command.run()
    return [path for path in folder.rglob("*") if path.is_file()]
