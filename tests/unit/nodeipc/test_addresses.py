"""The places of servers: paths by the rules of `node-ipc`, hosts and ports."""

from __future__ import annotations

import asyncio
import os
import socket
import stat

import pytest

from nodechannel import errors, nodeipc
from nodechannel._nodeipc.addresses import Address, address_of, socket_path


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "s")


@pytest.mark.parametrize(
    ("id", "options", "environ", "path"),
    [
        ("world", {"version": 9}, {"XDG_RUNTIME_DIR": "/run/me"}, "/tmp/app.world"),
        ("world", {}, {"XDG_RUNTIME_DIR": "/run/me"}, "/run/me/node-ipc/app.world"),
        ("world", {"appspace": ""}, {"XDG_RUNTIME_DIR": "/run/me"}, "/run/me/node-ipc/world"),
        ("world", {"socket_root": "/x/"}, {}, "/x/app.world"),
        (None, {"socket_root": "/x/"}, {}, f"/x/app.{socket.gethostname()}"),
    ],
)
@pytest.mark.rule("NIP-030", "NIP-031")
def test_the_path_of_an_id(id, options, environ, path):
    assert socket_path(id, options, environ) == path


def test_without_a_folder_of_the_session_the_user_has_a_folder_alone():
    assert socket_path("a", {}, {}).endswith(f"/node-ipc-{os.getuid()}/app.a")


@pytest.mark.parametrize(
    ("options", "shown"),
    [({"port": 9}, "127.0.0.1:9"), ({"host": "example.org"}, "example.org:8000"), ({"path": "/x"}, "/x")],
)
def test_a_place_shows_itself(options, shown):
    assert str(address_of("ignored", options)) == shown


def test_a_folder_that_another_user_prepared_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "node-ipc").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(errors.InvalidAddress, match="another user"):
        nodeipc.serve(path=str(tmp_path / "node-ipc" / "s"))


def test_an_address_that_cannot_be_reached_is_an_error_of_the_system(tmp_path):
    async def dial() -> None:
        address = Address(str(tmp_path / "absent"), "", 0, None)
        await address.dial(asyncio.get_running_loop(), asyncio.Protocol)

    with pytest.raises(FileNotFoundError):
        asyncio.run(dial())


@pytest.mark.rule("NIP-032")
def test_a_file_is_never_removed(tmp_path, path):
    (tmp_path / "s").write_text("mine")
    with pytest.raises(errors.InvalidAddress, match="no socket"):
        nodeipc.serve(path=path)
    assert (tmp_path / "s").read_text() == "mine"


@pytest.mark.rule("NIP-034")
def test_a_socket_belongs_to_its_user_and_goes_with_its_server(tmp_path, path):
    with nodeipc.serve(path=path):
        assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600
        with pytest.raises(errors.InvalidAddress, match="another server listens"):
            nodeipc.serve(path=path)
        with nodeipc.serve(path=path, replace=True, mode=0o666) as second:
            assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o666
            with nodeipc.connect(path=path) as client:
                client.send("a", 1)
                assert second.receive(timeout=20).data == 1
    assert not (tmp_path / "s").exists()


def test_a_socket_that_was_left_behind_is_replaced(path):
    left = socket.socket(socket.AF_UNIX)
    left.bind(path)
    left.close()
    with nodeipc.serve(path=path) as server:
        assert server.address == path


@pytest.mark.rule("NIP-033")
def test_a_path_that_is_too_long_is_refused(tmp_path):
    for use in (nodeipc.serve, nodeipc.connect):
        with pytest.raises(errors.InvalidAddress, match="107 bytes"):
            use(path=str(tmp_path / ("x" * 100)))


@pytest.mark.parametrize(
    "place",
    [
        {"path": ""},
        {"path": "a\0b"},
        {"path": "\0abstract"},
        {"id": "../elsewhere"},
        {"id": "a\0b"},
        {"port": -1},
        {"port": 65536},
        {"port": "8000"},
    ],
)
@pytest.mark.parametrize("use", [nodeipc.connect, nodeipc.serve])
def test_a_place_that_is_none_is_refused_at_once(use, place):
    with pytest.raises(errors.InvalidAddress):
        use(**place)
