"""Names of events: those that travel, and those that a peer would misread."""

from __future__ import annotations

import json
import subprocess

import pytest

from nodechannel import errors
from nodechannel._nodeipc.names import LIFECYCLE, check_name
from support.node import node


@pytest.mark.parametrize("name", ["message", "é", " ", "hasownproperty", "Connect"])
def test_a_name_that_travels(name):
    assert check_name(name) == name


@pytest.mark.parametrize("name", [*sorted(LIFECYCLE), "__proto__", "toString", "", None, 1, b"x"])
@pytest.mark.rule("NIP-004", "NIP-005", "NIP-006")
def test_a_name_that_is_refused(name):
    with pytest.raises(errors.InvalidMessage) as error:
        check_name(name)
    assert error.value.path == "$.type"


def test_the_guarded_parser_of_version_14_names_the_members_of_each_object():
    """Node itself says which names every object has."""
    listed = "console.log(JSON.stringify(Object.getOwnPropertyNames(Object.prototype)))"
    shown = subprocess.run(
        [node(), "-e", listed], capture_output=True, check=True, timeout=50, process_group=0
    )
    for name in json.loads(shown.stdout):
        with pytest.raises(errors.InvalidMessage):
            check_name(name)
