"""Modules that only annotations name. Each is imported when an annotation is evaluated, not when this package is imported.

`typing.get_type_hints` evaluates each annotation of a function with the names of the function's module. So every name that a public
annotation needs is a real name at run time, never one that stands under `TYPE_CHECKING`. Importing `typing` and `subprocess` would
double the time of `import nodechannel`; a stand-in is free until it is asked for an attribute.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    import ssl
    import subprocess
    import typing

    import nodechannel as public
else:

    class _Module:
        """Stands in for a module, and imports it for the first attribute."""

        def __init__(self, name):
            self._name = name

        def __getattr__(self, attribute):
            from importlib import import_module

            return getattr(import_module(self._name), attribute)

    signal, ssl, subprocess, typing = map(_Module, ("signal", "ssl", "subprocess", "typing"))
    # This package itself: its public types, for annotations in the rooms below them.
    public = _Module("nodechannel")

__all__ = ["public", "signal", "ssl", "subprocess", "typing"]
