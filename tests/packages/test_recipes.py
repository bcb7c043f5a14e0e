"""The programs of the pages that need no front end of their own: each test runs the files of its page as they are."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from support.node import node
from support.pm2 import PM2
from support.processes import children_of, wait_until_gone
from support.pythonpackages import environment, python_with, uv
from support.recipes import RECIPES, files_of, write_files
from support.redis import Redis
from support.tour import Tour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BIN = Path(sys.executable).parent


def followed() -> Iterator[tuple[str, str]]:
    """Return for each section with commands its page and its text; the beginning of a page is a section too."""
    for path in sorted(RECIPES.glob("*.md")):
        for section in re.split(r"^(?=## )", path.read_text("utf-8"), flags=re.MULTILINE):
            if "```console" in section:
                yield path.stem, section


@pytest.fixture(scope="module")
def redis():
    with Redis() as server:
        yield server


@pytest.mark.parametrize(
    ("page", "text"), [*followed()], ids=lambda word: word.lstrip("# ").partition("\n")[0]
)
def test_a_page_can_be_followed(page, text, folder, redis):
    # The server of this test is at another port, and sockets of node-ipc have names in a folder of all programs.
    for word, here in {
        "6379": str(redis.port),
        "world": f"w{uuid4().hex[:11]}",
        "moon": f"m{uuid4().hex[:11]}",
    }.items():
        text = re.sub(rf"\b{word}\b", here, text)
    assert Tour(folder).follow(text, also=("text",)), page


@pytest.fixture
def folder(packages, tmp_path):
    """A folder in which the pinned npm packages are installed."""
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    return tmp_path


@pytest.fixture
def run(folder) -> Callable[..., list[str]]:
    """Run a program of a page; return the lines that it prints."""

    def start(page: str, *command: str, **variables: str) -> list[str]:
        write_files(page, folder)
        found = subprocess.run(
            command,
            cwd=folder,
            env={
                **environment(),
                "PATH": os.pathsep.join((str(BIN), str(Path(node()).parent), os.environ["PATH"])),
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=50,
            process_group=0,
            check=False,
        )
        assert found.returncode == 0, (found.stdout, found.stderr)
        return found.stdout.splitlines()

    return start


ECHOED = ["{ ready: true }", "{ echo: { n: 1 } }"]


@pytest.mark.package("throng", "worker", "`nodechannel.cluster`")
def test_throng(folder, run):
    write_files("throng", folder)
    process = subprocess.Popen(
        [node(), "primary.mjs"],
        cwd=folder,
        env={**environment(), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["begun\n"] * 2
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=30)
    assert sorted(rest.splitlines()) == ["done", "done", "exit 0", "exit 0"]


@pytest.mark.package("concurrently", "child", "`nodechannel.connect`")
def test_concurrently(run):
    assert run("concurrently", node(), "parent.mjs") == [*ECHOED, "exit SIGTERM"]


@pytest.mark.package("forever-monitor", "child", "`nodechannel.connect`")
def test_forever(run):
    assert run("forever", node(), "parent.mjs") == [*ECHOED, "stopped"]


@pytest.mark.package("foreground-child", "child", "`nodechannel.connect`")
def test_foreground_child(run):
    assert run("foreground-child", node(), "parent.mjs") == [*ECHOED, "exit SIGTERM"]


FRAMEWORK = """
    const { EventEmitter } = require('events');
    class Part extends EventEmitter {
      constructor(options) { super(); this.config = {}; this.options = options; }
      ready(callback) { setImmediate(callback); }
      close() {}
      callback() { return (request, response) => response.end(); }
    }
    class Application extends Part {
      constructor(options) {
        super(options);
        process.on('message', ({ action, data }) => {
          if (action === 'greet') process.send({ action: 'greeted', to: 'parent', data: `${data} back` });
        });
      }
    }
    module.exports = { Application, Agent: Part };
"""


@pytest.mark.package("egg-cluster", "parent", "`nodechannel.fork`")
def test_egg(folder, run):
    framework = folder / "framework"
    framework.mkdir()
    (framework / "index.js").write_text(textwrap.dedent(FRAMEWORK))
    for place, name in ((folder, "page"), (framework, "framework")):
        (place / "package.json").write_text(json.dumps({"name": name, "version": "1.0.0"}))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = run("egg", sys.executable, "parent.py", FRAMEWORK=str(framework), PORT=str(port))
    assert [line for line in found if not line.startswith(("[", "20"))] == [
        "ready: http",
        "app says hello back",
    ]


def test_electron(run):
    # Electron is on no registry; this is the environment that it gives to its children.
    found = run("electron", node(), "main.js", ELECTRON_RUN_AS_NODE="1")
    assert found == [*ECHOED, "exit 0"]


def test_uv_run(run):
    assert uv()
    # uv would fetch a Python if it did not take this one.
    found = run("uv", node(), "parent.mjs", UV_PYTHON=sys.executable, UV_PYTHON_DOWNLOADS="never")
    assert found == [*ECHOED, "exit 0"]


TOOL = """\
#!{python}
import nodechannel

with nodechannel.connect() as channel:
    for message in channel:
        channel.send({{"tool": message.data}})
"""


@pytest.fixture
def tool(tmp_path):
    """A folder in which a command of Python is installed as one of npm."""
    (tmp_path / "package.json").write_text('{"name": "page", "scripts": {"tool": "tool"}}')
    command = tmp_path / "node_modules" / ".bin" / "tool"
    command.parent.mkdir(parents=True)
    command.write_text(TOOL.format(python=sys.executable))
    command.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "answer"),
    [([sys.executable, "parent.py"], "{'tool': {'n': 1}}"), ([node(), "parent.mjs"], "{ tool: { n: 1 } }")],
    ids=["Python", "Node"],
)
def test_npx(tool, command, answer):
    write_files("npx", tool)
    found = subprocess.run(
        command,
        cwd=tool,
        env={**environment(), "npm_config_update_notifier": "false"},
        capture_output=True,
        text=True,
        timeout=50,
        process_group=0,
        check=False,
    )
    assert (found.returncode, found.stdout) == (0, f"{answer}\n"), found.stderr


@pytest.mark.parametrize("command", [["npx", "--no", "tool"], ["npm", "run", "--silent", "tool"]])
def test_npx_and_npm_do_not_pass_a_channel_on(tool, script, command):
    parent = script(
        "start.mjs",
        """
        import { spawn } from 'child_process';
        const child = spawn(process.argv[2], process.argv.slice(3), { stdio: ['inherit', 'inherit', 'pipe', 'ipc'] });
        child.stderr.pipe(process.stdout);
        """,
    )
    found = subprocess.run(
        [node(), str(parent), *command],
        cwd=tool,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=50,
        process_group=0,
        check=True,
    )
    assert "NoChannel: NODE_CHANNEL_FD is not set" in found.stdout


LIMITS = """
nodechannel.pm2.connect, nodechannel.rpc.connect
print("found")
try:
    nodechannel.rpc.asyncio
except ImportError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """A folder with the program of the page about PyInstaller, frozen."""
    folder = tmp_path_factory.mktemp("frozen")
    write_files("pyinstaller", folder)
    program = folder / "child.py"
    program.write_text(program.read_text("utf-8") + LIMITS, "utf-8")
    subprocess.run(
        [
            str(python_with("pyinstaller")),
            *("-m", "PyInstaller", "--onefile", "--log-level", "ERROR", "child.py"),
        ],
        cwd=folder,
        env=environment(),
        check=True,
        timeout=300,  # 14 seconds of processor time, on a machine that may be busy
        process_group=0,
    )
    return folder


def test_pyinstaller(frozen):
    found = subprocess.run(
        [node(), "parent.mjs"],
        cwd=frozen,
        capture_output=True,
        text=True,
        timeout=50,
        process_group=0,
        check=True,
    )
    # What the page says of modules that are attributes, which print after the conversation.
    assert found.stdout.splitlines() == [
        *ECHOED,
        "found",
        "No module named 'nodechannel.rpc.asyncio'",
        "exit 0",
    ]


NOTEBOOK = """
import sys
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(cwd=sys.argv[1])
printed = []
def hear(message):
    if message["msg_type"] == "stream":
        printed.append(message["content"]["text"])
def interrupt(message):
    if message["msg_type"] == "stream":
        manager.interrupt_kernel()
def run(cell, hook, status):
    reply = client.execute_interactive(cell, output_hook=hook, timeout=40)
    assert reply["content"]["status"] == status, reply["content"]
importing, starting, talking = sys.argv[2:]
run(importing, hear, "ok")
run(starting, hear, "ok")
run("import time; print('waits'); time.sleep(30)", interrupt, "error")
run(talking, hear, "ok")
client.stop_channels()
manager.shutdown_kernel()
print("".join(printed), end="")
"""


def test_jupyter(tmp_path):
    write_files("jupyter", tmp_path)
    cells = files_of("jupyter")["notebook.py"].split("\n\n")
    found = subprocess.run(
        [str(python_with("jupyter")), "-c", NOTEBOOK, str(tmp_path), *cells],
        env={**environment(), "PATH": f"{Path(node()).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=55,
        process_group=0,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout == "{'echo': {'n': 1}}\n0\n"


IMAGE = re.compile(r"CMD (\[.*?\])")
AS_PROCESS_1 = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


def may_unshare() -> bool:
    """Whether this user can start a program as process 1 of a namespace."""
    try:
        return not subprocess.run(
            [*AS_PROCESS_1, "true"], capture_output=True, timeout=30, check=False
        ).returncode
    except OSError:
        return False


def of_image(page: str) -> list[list[str]]:
    """Return the commands of the images that a page shows."""
    return [json.loads(found) for found in IMAGE.findall((RECIPES / f"{page}.md").read_text("utf-8"))]


@pytest.mark.package("pm2", "program, fork mode", "`nodechannel.pm2`")
@pytest.mark.parametrize(
    ("page", "command", "as_process_1"),
    [
        ("docker", of_image("docker")[0], True),
        ("systemd", of_image("docker")[1], True),
        ("systemd", of_image("docker")[1], False),
    ],
    ids=["docker", "docker with PM2", "systemd"],
)
def test_sigterm_ends_a_service_in_good_order(folder, packages, tmp_path, page, command, as_process_1):
    if as_process_1 and not may_unshare():
        pytest.skip("no process namespaces for this user")
    write_files(page, folder)
    (tmp_path / "home").mkdir()
    places = [str(BIN), str(packages / "node_modules" / ".bin"), str(Path(node()).parent), os.environ["PATH"]]
    process = subprocess.Popen(
        [*(AS_PROCESS_1 if as_process_1 else []), *command],
        cwd=folder,
        env={**environment(), "PATH": os.pathsep.join(places), "PM2_HOME": str(tmp_path / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    assert process.stdout is not None
    before = []
    for line in process.stdout:
        before.append(line)
        if "serving" in line:
            break
    first = children_of(process.pid)[0] if as_process_1 else process.pid
    os.kill(first, signal.SIGTERM)
    rest, _ = process.communicate(timeout=30)
    assert "left in good order" in rest, (before, rest)
    assert process.returncode == 0
    wait_until_gone(first)


@pytest.mark.package("pm2", "program, fork mode", "`nodechannel.pm2`")
def test_pm2(folder, tmp_path):
    write_files("pm2", folder)
    (tmp_path / "home").mkdir()
    with PM2(
        tmp_path / "home", PATH=os.pathsep.join((str(BIN), str(Path(node()).parent), os.environ["PATH"]))
    ) as pm2:
        pm2.cli("start", str(folder / "ecosystem.config.js"), "--cwd", str(folder))
        pm2.until(lambda env: "queue" in env["axm_monitor"])
        assert json.loads(pm2.trigger("app", "reload", "/etc/app.conf")) == {"read": "/etc/app.conf"}
        pm2.call("stop", "app")
        assert pm2.env()["exit_code"] == 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_the_unit_is_valid(tmp_path):
    write_files("systemd", tmp_path)
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "app.service")],
        capture_output=True,
        text=True,
        timeout=30,
        process_group=0,
        check=False,
    )
    assert "app.service" not in found.stdout + found.stderr, found.stderr
