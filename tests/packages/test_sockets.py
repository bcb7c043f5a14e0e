"""The page about connections that were handed over: its programs serve HTTP, WebSockets and TLS to real clients."""

from __future__ import annotations

import signal
import ssl
import subprocess
import urllib.request

import pytest

from support.node import node
from support.pythonpackages import environment, python_with
from support.recipes import write_files

CLIENT = """
import ssl, sys
from websockets.sync.client import connect
url, *certificate = sys.argv[1:]
context = ssl.create_default_context(cafile=certificate[0]) if certificate else None
with connect(url, ssl=context) as websocket:
    websocket.send("hello")
    print(websocket.recv(timeout=20))
"""


@pytest.fixture
def folder(tmp_path):
    write_files("sockets", tmp_path)
    return tmp_path


@pytest.fixture
def certificate(folder):
    """A certificate for 127.0.0.1 with its key, in one file."""
    path = folder / "both.pem"
    subject = ["-subj", "/CN=here", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            *subject,
            "-keyout",
            str(folder / "key.pem"),
            "-out",
            str(folder / "cert.pem"),
        ],
        check=True,
        capture_output=True,
        timeout=30,
        process_group=0,
    )
    path.write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    return path


@pytest.fixture
def start(folder):
    """Start a Node program of the page; return its port."""
    begun = []

    def run(*command):
        python = python_with("web")
        process = subprocess.Popen(
            [node(), *command],
            cwd=folder,
            env={**environment(), "PATH": f"{python.parent}:/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        begun.append(process)
        assert process.stdout is not None
        return int(process.stdout.readline())

    yield run
    for process in begun:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 0


def talk(url, *certificate):
    """Say hello over a WebSocket; return the answer."""
    found = subprocess.run(
        [str(python_with("web")), "-c", CLIENT, url, *certificate],
        capture_output=True,
        text=True,
        timeout=40,
        process_group=0,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


frameworks = pytest.mark.parametrize("framework", ["uvicorn", "aiohttp"])


@frameworks
def test_http_and_websocket(start, framework):
    port = start("parent.mjs", f"with_{framework}.py")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
        assert answer.read().decode() == f"http from {framework}"
    assert talk(f"ws://127.0.0.1:{port}/") == f"hello from {framework}"


@frameworks
def test_tls_after_the_hand_over(start, certificate, framework):
    port = start("parent.mjs", f"with_{framework}.py", str(certificate))
    context = ssl.create_default_context(cafile=str(certificate))
    with urllib.request.urlopen(f"https://127.0.0.1:{port}/", timeout=20, context=context) as answer:
        assert answer.read().decode() == f"https from {framework}"
    assert talk(f"wss://127.0.0.1:{port}/", str(certificate)) == f"hello from {framework}"


@frameworks
def test_a_websocket_that_node_has_begun(start, framework):
    port = start("upgrade.mjs", f"with_{framework}.py")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
        assert answer.read().decode() == "http from node"
    assert talk(f"ws://127.0.0.1:{port}/") == f"hello from {framework}"
