"""The README's tour, typed as a new user would."""

from __future__ import annotations

import subprocess

import pytest

from support.processes import wait_until_gone
from support.release import readme_sections
from support.tour import Tour, matches

SECTIONS = readme_sections()


@pytest.mark.parametrize("title", SECTIONS)
def test_the_tour(title, tmp_path):
    assert Tour(tmp_path).follow(SECTIONS[title]), "the section runs no command"


def test_the_tour_has_the_five_stops():
    assert len(SECTIONS) == 5


def test_a_difference_would_be_seen():
    assert matches("a\n...\nz\n", "a\nb\nc\nz\n")
    assert not matches("a\n...\nz\n", "a\nb\nc\n")


def test_a_command_that_takes_too_long_leaves_no_process(tmp_path):
    tour = Tour(tmp_path, limit=0.3)
    with pytest.raises(subprocess.TimeoutExpired):
        tour.run("sleep 60 & echo $! > pid; wait")
    wait_until_gone(int((tmp_path / "pid").read_text()))
