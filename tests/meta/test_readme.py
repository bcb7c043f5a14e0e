"""The README's tour, typed as a new user would."""

from __future__ import annotations

import pytest

from support.release import readme_sections
from support.tour import Tour, matches

SECTIONS = readme_sections()


# The run of the whole catalogue on the echo child is that of tests/kit/test_adapters.py, and the script is the same.
WHOLE = "Judging an implementation"


@pytest.mark.parametrize(
    "title", [pytest.param(one, marks=[pytest.mark.long] if one == WHOLE else []) for one in SECTIONS]
)
def test_the_tour(title, tmp_path):
    assert Tour(tmp_path).follow(SECTIONS[title]), "the section runs no command"


def test_the_tour_has_the_five_stops():
    assert len(SECTIONS) == 5


def test_a_difference_would_be_seen():
    assert matches("a\n...\nz\n", "a\nb\nc\nz\n")
    assert not matches("a\n...\nz\n", "a\nb\nc\n")
