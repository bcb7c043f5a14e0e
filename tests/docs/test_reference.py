"""The examples of the reference: each public module has its own, whose names exist; those of the first pages are run."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import textwrap

import pytest

from support.node import ROOT

sys.path.insert(0, str(ROOT / "pyref" / "docs"))

from docsite.reference import public_modules

# The front ends with coroutines have the words, and so the examples, of the modules above them.
WITH_EXAMPLES = [
    module
    for module in public_modules()
    if not (
        module.endswith(".asyncio")
        and module.count(".") > 1
        and module.split(".")[1] not in ("cluster", "lsp")
    )
]
ECHO = "process.on('message', (message) => process.send(message));"


def example(module: str) -> str:
    """Return the indented block of a module's docstring."""
    lines = inspect.cleandoc(importlib.import_module(module).__doc__ or "").splitlines()
    begin = next((place for place, line in enumerate(lines) if line.startswith("    ")), len(lines))
    rest = lines[begin:]
    end = next((place for place, line in enumerate(rest) if line and not line.startswith("    ")), len(rest))
    return textwrap.dedent("\n".join(rest[:end])).strip()


def within_a_coroutine(code: str) -> str:
    return (
        "import asyncio\n\nasync def main():\n" + textwrap.indent(code, "    ") + "\n\nasyncio.run(main())\n"
    )


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_each_module_shows_its_use_with_names_that_exist(module):
    tree = ast.parse(within_a_coroutine(example(module)))
    imported = {
        alias.asname or alias.name: importlib.import_module(f"{node.module}.{alias.name}")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    if module == "nodechannel":
        imported["nodechannel"] = importlib.import_module(module)
    used = [
        (node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported
    ]
    assert used
    assert [name for home, name in used if not hasattr(imported[home], name)] == []


@pytest.mark.parametrize("module", ["nodechannel", "nodechannel.asyncio"])
def test_the_first_examples_run(module, tmp_path, monkeypatch, capfd):
    (tmp_path / "worker.js").write_text(ECHO)
    monkeypatch.chdir(tmp_path)
    code = example(module)
    exec(compile(within_a_coroutine(code) if "await" in code else code, module, "exec"), {})
    assert capfd.readouterr().out == "{'n': 1}\n"


def test_the_example_of_values_comes_back_from_node(tmp_path):
    import nodechannel

    (tmp_path / "worker.js").write_text(ECHO)
    with nodechannel.fork(tmp_path / "worker.js", serialization="advanced") as child:
        exec(example("nodechannel.js"), {"child": child})
        found = child.receive(timeout=20).data
        assert list(found) == ["big", "gone", "when"]
        assert found["big"] == 2**70
