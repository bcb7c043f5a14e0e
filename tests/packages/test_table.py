"""The table of packages in the README, and the results from which it is written."""

from __future__ import annotations

import ast
import json

from support import packagetable
from support.node import ROOT
from support.packages import PINS

# Parts of NestJS, whose microservices have a row, and packages from which a page moves away.
NO_ROWS = {
    *("@nestjs/common", "@nestjs/core", "reflect-metadata", "rxjs"),
    *("python-bridge", "python-shell", "pythonia"),
}


def results():
    return json.loads(packagetable.RESULTS.read_text())


def pins():
    """Return the version of each package; a second version of a package has a name of its own, and an alias as its version."""
    dependencies = json.loads((PINS / "package.json").read_text())["dependencies"]
    return {name: version.rpartition("@")[2] for name, version in dependencies.items()}


def test_it_is_written_from_the_results():
    assert packagetable.published() == packagetable.render(results()), "run `make packages-table`"


def test_the_results_are_those_of_the_pinned_packages():
    assert {row["package"]: row["version"] for row in results()} == {
        name: version for name, version in pins().items() if name not in NO_ROWS
    }, "run `make packages-table`"


def test_the_results_name_tests_that_have_their_mark(request):
    """A test that lost its mark, its file or its name since the run would leave a row without a proof."""
    for row in results():
        for test in row["tests"]:
            path, *names = test.split("::")
            tree: ast.AST = ast.parse((ROOT / path).read_text())
            for name in names:
                (tree,) = [node for node in ast.iter_child_nodes(tree) if getattr(node, "name", None) == name]


def test_versions_are_exact_and_the_lock_names_no_address():
    lock = json.loads((PINS / "package-lock.json").read_text())
    for name, version in pins().items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
    assert not [path for path, entry in lock["packages"].items() if "resolved" in entry]
    assert all("integrity" in entry for path, entry in lock["packages"].items() if path)
