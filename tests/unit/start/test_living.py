"""Channels that live until they end, at a fork and at the end of a program."""

from __future__ import annotations

import os
import subprocess
import sys

from nodechannel._start import living


class Channel:
    """Notes the calls that it gets."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def forget(self) -> None:
        self.asked.append("forget")

    def _write_rest(self) -> None:
        self.asked.append("write the rest")


def test_a_channel_is_kept_until_it_has_ended():
    channel = Channel()
    number = id(channel)
    ended = living.keep(channel)
    assert living._channels[number] is channel
    ended()
    ended()
    assert number not in living._channels


def test_a_process_that_was_forked_off_forgets_its_copies():
    channel = Channel()
    ended = living.keep(channel)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, f"{channel.asked} {len(living._channels)}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 100) == b"['forget'] 0"
    assert channel.asked == []
    ended()
    os.close(read)
    os.close(write)


def test_at_the_end_of_a_program_the_rest_is_written():
    program = """
from nodechannel._start.living import keep
class Channel:
    def forget(self): print("forgets")
    def _write_rest(self): print("writes")
keep(Channel())
over = keep(Channel())
over()
"""
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30, process_group=0
    )  # fmt: skip
    assert found.stdout == "writes\n", found.stderr
