"""The pages of the reference: each public name of each public package, from its docstring."""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil

import nodechannel
from nodechannel.errors import ChannelError

_TITLE = {"function": "Functions", "class": "Classes", "error": "Errors", "data": "Values"}
_AS_TEXT = ".. code-block:: text\n\n"


def public_modules() -> list[str]:
    """Return the names of the public modules, the package itself first."""
    found = [info.name for info in pkgutil.walk_packages(nodechannel.__path__, "nodechannel.")]
    return [
        "nodechannel",
        *(name for name in found if not any(part.startswith("_") for part in name.split("."))),
    ]


def public_names(module: str) -> list[str]:
    """Return the names that a module offers: those that it lists, else those that are defined in it."""
    loaded = importlib.import_module(module)
    listed = getattr(loaded, "__all__", None)
    if listed is not None:
        return sorted(listed)
    defined = [name for name, value in vars(loaded).items() if getattr(value, "__module__", None) == module]
    return sorted(name for name in defined if not name.startswith("_"))


def reference_pages() -> dict[str, str]:
    """Return for each address of a page of the reference its text."""
    pages = {
        f"reference/{name}": _module_page(name) for name in public_modules() if name != "nodechannel.errors"
    }
    pages["reference/errors"] = _errors_page()
    pages["reference/commands"] = _commands_page()
    return pages


def _module_page(module: str) -> str:
    loaded = importlib.import_module(module)
    kinds: dict[str, list[str]] = {}
    for name in public_names(module):
        kinds.setdefault(_kind(getattr(loaded, name)), []).append(name)
    text = (
        _heading(module, "=")
        + _with_code(inspect.cleandoc(loaded.__doc__ or ""))
        + f"\n\n.. currentmodule:: {module}\n\n"
    )
    for kind, directive in (("function", "autofunction"), ("class", "autoclass"), ("data", "autodata")):
        if kind in kinds:
            text += _heading(_TITLE[kind], "-") + "".join(
                f".. {directive}:: {name}\n\n" for name in kinds[kind]
            )
    if "error" in kinds:
        listed = ", ".join(f"`{name}`" for name in kinds["error"])
        text += _heading(_TITLE["error"], "-") + f"See :doc:`errors`: {listed}.\n\n"
    return text


def _with_code(text: str) -> str:
    """Return a docstring in which an indented block is marked as code."""
    paragraphs = text.split("\n\n")
    begins = [
        part.startswith("    ") and not (place and paragraphs[place - 1].startswith("    "))
        for place, part in enumerate(paragraphs)
    ]
    return "\n\n".join(
        f"::\n\n{part}" if code else part for part, code in zip(paragraphs, begins, strict=True)
    )


def _kind(value: object) -> str:
    if inspect.isclass(value):
        return "error" if issubclass(value, ChannelError) else "class"
    return "function" if inspect.isroutine(value) else "data"


def _errors_page() -> str:
    text = _heading("Errors", "=")
    text += _with_code(inspect.cleandoc(nodechannel.errors.__doc__ or ""))
    text += "\n\nEach error has a cause and a remedy. Its message names the remedy where the cause can be seen.\n\n"
    for module, errors in errors_by_module().items():
        text += _heading(module, "-") + f".. currentmodule:: {module}\n\n"
        text += "".join(f".. autoexception:: {error.__name__}\n   :show-inheritance:\n\n" for error in errors)
    return text


def errors_by_module() -> dict[str, list[type[ChannelError]]]:
    """Return for each public module the errors that it is the home of, those of the package itself first."""
    found: dict[str, list[type[ChannelError]]] = {"nodechannel.errors": []}
    for module in ("nodechannel.errors", *public_modules()):
        space = importlib.import_module(module)
        names = vars(space) if module == "nodechannel.errors" else public_names(module)
        for value in (getattr(space, name) for name in names if not name.startswith("_")):
            if _kind(value) == "error" and value not in found.setdefault(value.__module__, []):
                found[value.__module__].append(value)
    return found


def _commands_page() -> str:
    text = _heading("Commands", "=")
    for name, parser in _parsers().items():
        text += _heading(name, "-") + _AS_TEXT + _indented(parser.format_help())
        for command, sub in _commands(parser).items():
            text += _heading(f"{name} {command}", "~") + _AS_TEXT + _indented(sub.format_help())
    return text


def _parsers() -> dict[str, argparse.ArgumentParser]:
    from channelkit.cli.main import parser as kit
    from nodechannel._cli.main import parser as reference

    return {"nodechannel": reference(), "channelkit": kit()}


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _heading(title: str, line: str) -> str:
    return f"{title}\n{line * len(title)}\n\n"


def _indented(text: str) -> str:
    return "".join(f"   {line}\n" if line else "\n" for line in text.splitlines()) + "\n"
