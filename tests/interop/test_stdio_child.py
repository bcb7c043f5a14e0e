"""A Python child that speaks with a real Node parent over its standard streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from support.node import node

# Starts the child, sends it the given lines, ends its input, and reports all lines that came back.
PARENT = """
    const { spawn } = require('child_process');
    const [python, child, input] = process.argv.slice(2);
    const subject = spawn(python, [child], { stdio: ['pipe', 'pipe', 'pipe'] });
    const out = [], err = [];
    subject.stdout.on('data', (data) => out.push(data));
    subject.stderr.on('data', (data) => err.push(data));
    subject.on('close', (code, signal) => {
      const lines = Buffer.concat(out).toString().split('\\n');
      console.log(JSON.stringify({ lines, err: Buffer.concat(err).toString(), code, signal }));
    });
    subject.stdin.end(input);
"""


@pytest.fixture
def run(script):
    """Run a Python child under a Node parent; return its lines, its errors and its end."""

    def start(source: str, data: str = "") -> Any:
        program = script("child.py", source)
        parent = script("parent.cjs", PARENT)
        found = subprocess.run(
            [node(), str(parent), sys.executable, str(program), data],
            capture_output=True,
            text=True,
            timeout=50,
            process_group=0,
            check=True,
            # The text that was printed before waits in a buffer, as it does by default.
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        )
        return json.loads(found.stdout)

    return start


# The same child in both front ends.
ECHOES = {
    "blocking": """
        from nodechannel import stdio
        with stdio.connect() as channel:
            for message in channel:
                channel.send({"echo": message.data})
    """,
    "asyncio": """
        import asyncio
        from nodechannel.stdio.asyncio import connect
        async def main():
            async with await connect() as channel:
                async for message in channel:
                    await channel.send({"echo": message.data})
        asyncio.run(main())
    """,
}


@pytest.mark.parametrize("front_end", ECHOES)
@pytest.mark.rule("STD-044")
def test_a_child_answers_everything_before_it_ends(run, front_end):
    found = run(ECHOES[front_end], '1\n{"a":"é\u2028"}\r\n\n[]\n')
    assert found == {
        "lines": ['{"echo":1}', '{"echo":{"a":"é\\u2028"}}', '{"echo":[]}', ""],
        "err": "",
        "code": 0,
        "signal": None,
    }


@pytest.mark.rule("STD-030", "STD-031")
def test_nothing_but_messages_reaches_the_parent(run):
    found = run(
        """
        import ctypes, os, subprocess, sys
        print("before")
        from nodechannel import stdio
        with stdio.connect() as channel:
            channel.send(1)
            print("print")
            os.write(1, b"raw\\n")
            libc = ctypes.CDLL(None)
            libc.puts(b"of C")
            libc.fflush(None)
            subprocess.run(["echo", "of a grandchild"], check=True)
            subprocess.run([sys.executable, "-c", "print('of Python')"], check=True)
            channel.send(2)
        print("behind")
        """
    )
    assert found["lines"] == ["1", "2", ""]
    assert sorted(found["err"].split("\n")) == sorted(
        ["before", "print", "raw", "of C", "of a grandchild", "of Python", "behind", ""]
    )
    assert found["code"] == 0


@pytest.mark.rule("STD-032")
def test_nothing_else_reads_the_messages(run):
    found = run(
        """
        import subprocess, sys
        from nodechannel import stdio
        with stdio.connect() as channel:
            of_grandchild = subprocess.run(["readlink", "/proc/self/fd/0"], stdout=-1, check=True).stdout.decode()
            channel.send([of_grandchild, sys.stdin.read()])
            channel.send([message.data for message in channel])
        """,
        "1\n2\n",
    )
    assert found["lines"] == ['["/dev/null\\n",""]', "[1,2]", ""]


@pytest.mark.parametrize(
    "source",
    [
        """
        from nodechannel import stdio
        channel = stdio.connect()
        channel.send("x" * 3_000_000)
        """,
        """
        import asyncio
        from nodechannel.stdio.asyncio import connect
        async def main():
            channel = await connect()
            await channel.send("x" * 3_000_000)
        asyncio.run(main())
        """,
        """
        import sys
        from nodechannel import stdio
        with stdio.connect() as channel:
            channel.send("x" * 3_000_000)
            sys.exit(0)
        """,
        """
        from nodechannel import errors, stdio
        channel = stdio.connect()
        try:
            channel.send("x" * 3_000_000, timeout=0)
        except errors.SendTimeout:
            pass
        """,
    ],
    ids=["blocking", "asyncio", "sys.exit", "time limit"],
)
@pytest.mark.rule("STD-040")
def test_nothing_is_lost_when_the_program_ends(run, source):
    found = run(source)
    assert (len(found["lines"][0]), found["lines"][1:], found["err"], found["code"]) == (
        3_000_002,
        [""],
        "",
        0,
    )


def test_an_exception_shows_on_standard_error_alone(run):
    found = run(
        """
        from nodechannel import stdio
        with stdio.connect() as channel:
            channel.send(1)
            raise RuntimeError("odd")
        """
    )
    assert (found["lines"], found["code"]) == (["1", ""], 1)
    assert "RuntimeError: odd" in found["err"]


def test_many_threads_send_whole_messages(run):
    found = run(
        """
        import threading
        from nodechannel import stdio
        with stdio.connect() as channel:
            def work(name):
                for number in range(50):
                    channel.send([name, number, "x" * 5000])
            threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        """
    )
    sent = [json.loads(line)[:2] for line in found["lines"][:-1]]
    assert sorted(sent) == [[name, number] for name in range(8) for number in range(50)]


def test_the_streams_carry_one_channel(run):
    found = run(
        """
        from nodechannel import errors, stdio
        with stdio.connect() as channel:
            try:
                stdio.connect()
            except errors.StreamsUnavailable as error:
                channel.send(str(error))
        """
    )
    assert found["lines"][0].endswith('another channel of this process already"')


@pytest.mark.parametrize(("shell", "name"), [("<&-", "standard input"), (">&-", "standard output")])
def test_a_closed_stream_is_an_error_with_a_remedy(script, shell, name):
    program = script("child.py", "from nodechannel import stdio\nstdio.connect()\n")
    found = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} {program} {shell}"],
        capture_output=True,
        text=True,
        timeout=50,
        process_group=0,
        check=False,
    )
    assert found.returncode == 1
    assert f"{name} is closed; start this process with a pipe as its {name}" in found.stderr


@pytest.mark.parametrize("front_end", ECHOES)
def test_files_in_the_place_of_pipes(script, tmp_path, front_end):
    program = script("child.py", ECHOES[front_end])
    asked, answered = tmp_path / "in", tmp_path / "out"
    asked.write_text("".join(f"{number}\n" for number in range(5000)))
    with asked.open() as stdin, answered.open("w") as stdout:
        subprocess.run(
            [sys.executable, str(program)],
            stdin=stdin,
            stdout=stdout,
            timeout=50,
            check=True,
            process_group=0,
        )
    assert answered.read_text() == "".join(f'{{"echo":{number}}}\n' for number in range(5000))


def test_a_process_that_shares_the_pipe_gets_its_mode_back(script):
    program = script("child.py", ECHOES["blocking"])
    found = subprocess.run(
        [
            "sh",
            "-c",
            f"{sys.executable} {program} </dev/null; {sys.executable} -c 'import os; print(os.get_blocking(1))'",
        ],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
        process_group=0,
    )
    assert found.stdout == "True\n"
