"""The end of a public module, so that tools show the public API alone."""

from __future__ import annotations

import sys
from types import FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def publish(name: str, lazy: Mapping[str, str]) -> None:
    """Finish the public module of that name.

    Its classes and functions get its name as their `__module__`: a repr, a traceback and a pickle then name the place from which users
    import them. `dir` lists the public names alone.

    Args:
        name: the name of the module.
        lazy: each public name that is imported when it is first used, and its module; for a submodule that is the submodule itself.
    """
    space = vars(sys.modules[name])

    def load(attribute: str) -> object:
        if attribute not in lazy:
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
        from importlib import import_module

        module = import_module(lazy[attribute])
        value = module if module.__name__ == f"{name}.{attribute}" else getattr(module, attribute)
        space[attribute] = _moved(value, name, attribute)
        return space[attribute]

    def public_names() -> list[str]:
        return sorted({*space["__all__"], *lazy, *filter(_is_special, space)})

    for word in space["__all__"]:
        if word in space:
            _moved(space[word], name, word)
    space.update(__getattr__=load, __dir__=public_names)


def _moved(value: object, name: str, word: str) -> object:
    """Let a class or function of a private module call itself a member of the public one, by the word it has there; return it."""
    if isinstance(value, type | FunctionType) and value.__module__.startswith("nodechannel._"):
        value.__module__ = name
        value.__name__ = value.__qualname__ = word
    return value


def _is_special(word: str) -> bool:
    return word.startswith("__")
