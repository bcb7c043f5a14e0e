"""The options that docstrings explain."""

from __future__ import annotations

import inspect
import re
from typing import Any, is_typeddict


def described(module: Any) -> set[str]:
    """The options that the docstrings of a module's classes explain."""
    classes = [part for part in vars(module).values() if is_typeddict(part)]
    lines = [
        found
        for part in classes
        for found in re.findall(r"^ {4}([a-z_][a-z_, ]*): ", inspect.getdoc(part) or "", re.MULTILINE)
    ]
    return {name for line in lines for name in line.split(", ")}
