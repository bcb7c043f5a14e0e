"""Which release changed its behaviour under a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelkit.cli.main import main
from channelkit.cli.since import history

if TYPE_CHECKING:
    import pytest


def test_stretches_of_equal_marks_are_named_by_their_releases() -> None:
    marks = [("node@12", "len"), ("node@14", "ok"), ("node@16", "ok"), ("node@18", "**no** / ok")]
    assert history(marks) == (
        "12 is lenient; 14 to 16 conforms; 18 deviates as child or worker and conforms as parent or primary"
    )


def test_a_rule_tells_its_cases(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["since", "FLO-002"]) == 0
    assert "  flo-early-messages: node 12 is lenient; 14 to 26 conforms" in capsys.readouterr().out
    assert main(["since", "flo-early-messages"]) == 0
    assert main(["since", "XXX-999"]) == 2
    assert "no case shows XXX-999" in capsys.readouterr().err
