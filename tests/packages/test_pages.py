"""The pages of recipes: their Python compiles, its imports exist, and the names on the pages exist."""

from __future__ import annotations

import ast
import importlib
import re

import pytest

from support.node import ROOT
from support.recipes import files_of

PAGES = sorted((ROOT / "pyref" / "recipes").glob("*.md"))

# Packages of the environments that tests of pages make for themselves.
ELSEWHERE = {"aiohttp"}


def blocks(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_on_a_page_compiles_and_imports(page):
    for source in blocks(page):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and node.module and node.module not in ELSEWHERE:
                module = importlib.import_module(node.module)
                for alias in node.names:
                    if not hasattr(module, alias.name):
                        importlib.import_module(f"{node.module}.{alias.name}")


def test_each_page_with_whole_programs_has_a_test_that_takes_them():
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "packages").glob("test_*.py"))
    # `test_a_page_can_be_followed` takes those with commands.
    silent = [
        page.stem for page in PAGES if page.name != "README.md" and "```console" not in page.read_text()
    ]
    assert [page for page in silent if not files_of(page)] == []
    assert [
        page for page in silent if not re.search(rf'(?:run|write_files|files_of|of_image)\("{page}"', tests)
    ] == []


def test_the_index_names_each_page_and_files_of_tests_that_exist():
    index = (ROOT / "pyref" / "recipes" / "README.md").read_text()
    for page in PAGES:
        assert page.name == "README.md" or f"({page.name})" in index
    for name in re.findall(r"`(?:tests/packages/)?(test_\w+\.py)`", index):
        assert (ROOT / "tests" / "packages" / name).exists()
