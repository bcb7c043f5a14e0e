"""The finish of a public module, seen on a module that is made here."""

from __future__ import annotations

import sys
import types

import pytest

from nodechannel import HandleType, _facade


def made(name: str) -> type:
    """Return a class that says that it stands in a private room."""
    return type(name, (), {"__module__": "nodechannel._room.file"})


@pytest.fixture
def module():
    found = types.ModuleType("nodechannel.made")
    found.Own, found.Foreign, found.helper = made("_Own"), int, made("Helper")  # type: ignore[attr-defined]
    found.__dict__["__all__"] = ["Foreign", "Missing", "Own"]
    sys.modules["nodechannel.made"] = found
    yield found
    del sys.modules["nodechannel.made"]


def test_public_classes_call_themselves_members_of_the_public_module(module):
    _facade.publish("nodechannel.made", {})
    assert (module.Own.__module__, module.Own.__qualname__) == ("nodechannel.made", "Own")
    assert repr(module.Own) == "<class 'nodechannel.made.Own'>"
    assert int.__module__ == "builtins"
    assert module.helper.__module__ == "nodechannel._room.file"


def test_lazy_names_are_imported_once(module):
    _facade.publish("nodechannel.made", {"HandleType": "nodechannel._handles.types"})
    assert "HandleType" not in vars(module)
    found = module.HandleType
    assert vars(module)["HandleType"] is found is HandleType
    # It has a public name already, which stays.
    assert HandleType.__module__ == "nodechannel"


def test_a_submodule_stands_for_itself(module):
    later = sys.modules["nodechannel.made.later"] = types.ModuleType("nodechannel.made.later")
    _facade.publish("nodechannel.made", {"later": "nodechannel.made.later"})
    assert module.later is later
    del sys.modules["nodechannel.made.later"]


def test_dir_shows_the_public_names_and_the_special_ones(module):
    _facade.publish("nodechannel.made", {"later": "nodechannel.later"})
    found = dir(module)
    assert {"Own", "Foreign", "later", "__name__"} <= set(found)
    assert "helper" not in found


def test_an_unknown_name_is_an_attribute_error(module):
    _facade.publish("nodechannel.made", {})
    with pytest.raises(AttributeError, match=r"module 'nodechannel\.made' has no attribute 'absent'"):
        module.absent  # noqa: B018
