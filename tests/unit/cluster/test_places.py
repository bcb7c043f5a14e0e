"""Questions to sockets, and sockets to answers."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from nodechannel._cluster import places
from nodechannel._cluster.messages import Query
from nodechannel._cluster.worker import ServerLink


@pytest.mark.parametrize(
    "query",
    [
        Query("127.0.0.1", 0, 4),
        Query("127.0.0.1", 0, 4, backlog=2**32),
        Query(None, 0, 4),
        Query("::1", 0, 6, flags=1),
        Query("::1", 0, 6, flags=2**63),
        Query("127.0.0.1", 0, "udp4", -1, flags=2**62),
        Query(None, 0, "udp6", -1),
    ],
)
def test_a_socket_is_opened_where_the_question_says(query):
    sock = places.open_socket(query, listening=not query.is_udp)
    try:
        assert sock.getsockname()[1] > 0
        assert sock.gettimeout() == 0.0
    finally:
        places.close_socket(sock, query)


@pytest.mark.parametrize(
    ("query", "number"),
    [
        (Query("a..b", 0, 4), -3008),
        (Query("a" * 64, 0, 4), -3008),
        (Query("\ud800", 0, 4), -3008),
        (Query("fe80::1%nosuch", 0, 6), -3008),
        (Query("127.0.0.1", 0, 6), -3008),
        (Query("", 0, 4), -3008),
        (Query("192.0.2.1", 0, 4), -errno.EADDRNOTAVAIL),
        (Query("/tmp/\ud800", -1, -1), -3008),
        (Query(".", -1, -1), -errno.EADDRINUSE),
        (Query("/tmp/" + "x" * 300, -1, -1), -errno.EINVAL),
        (Query("/no/such/folder/s", -1, -1), -errno.ENOENT),
    ],
)
def test_each_failure_has_a_number(query, number):
    with pytest.raises((OSError, ValueError)) as caught:
        places.open_socket(query, listening=True)
    assert places.error_number(caught.value) == number


def test_any_other_exception_has_a_number_too():
    assert places.error_number(OverflowError()) == -errno.EINVAL
    assert places.error_number(OSError()) == -errno.EINVAL


class TestUnixPaths:
    def test_the_file_goes_with_the_socket(self, tmp_path):
        query = places.unix_query(tmp_path / "s")
        places.close_socket(places.open_socket(query, listening=True), query)
        assert not (tmp_path / "s").exists()

    def test_a_file_that_cannot_be_removed_is_no_error(self, tmp_path):
        query = places.unix_query(tmp_path / "s")
        sock = places.open_socket(query, listening=True)
        (tmp_path / "s").unlink()
        (tmp_path / "s").mkdir()
        places.close_socket(sock, query)
        assert sock.fileno() == -1

    def test_a_long_path_is_bound_relatively(self, tmp_path, monkeypatch):
        folder = tmp_path / ("x" * 100)
        folder.mkdir()
        monkeypatch.chdir(folder)
        query = places.unix_query("s")
        places.close_socket(places.open_socket(query, listening=True), query)

    def test_without_a_working_directory_the_absolute_path_does(self, tmp_path, monkeypatch):
        gone = tmp_path / "gone"
        gone.mkdir()
        monkeypatch.chdir(gone)
        gone.rmdir()
        query = Query(str(tmp_path / "s"), -1, -1)
        places.close_socket(places.open_socket(query, listening=True), query)
        os.chdir(tmp_path)

    def test_the_path_becomes_absolute(self):
        assert Path(str(places.unix_query("s").address)).is_absolute()


class TestAnswers:
    @pytest.mark.parametrize("port", [None, "80", -1, 0, 65536, 2**80, True, 1.5, [], {}])
    def test_a_port_that_is_none_is_not_believed(self, port):
        server = ServerLink(Query("127.0.0.1", 80, 4))
        server.sockname = {"address": "127.0.0.1", "family": "IPv4", "port": port}
        assert places.port_of(server, None) == 80
        assert places.address_of(server, None) == ("127.0.0.1", 80)

    def test_the_port_of_the_answer(self):
        server = ServerLink(Query("::", 0, 6))
        server.sockname = {"address": "::", "family": "IPv6", "port": 81}
        assert places.port_of(server, None) == 81
        assert places.address_of(server, None) == ("::", 81, 0, 0)

    def test_a_shared_socket_speaks_for_itself(self):
        server = ServerLink(Query("127.0.0.1", 0, 4))
        with socket.create_server(("127.0.0.1", 0)) as sock:
            assert places.address_of(server, sock) == sock.getsockname()
            assert places.port_of(server, sock) == sock.getsockname()[1]

    def test_sockname_in_words_of_node(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as sock:
            assert places.sockname(sock) == {
                "address": "127.0.0.1",
                "family": "IPv4",
                "port": sock.getsockname()[1],
            }
        with socket.socket(socket.AF_UNIX) as sock:
            assert places.sockname(sock) is None
