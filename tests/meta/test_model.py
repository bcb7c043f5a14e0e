"""The models of `spec/model` follow the tables of the reference, and their checker finds the faults in a broken model."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from spec.model import check
from spec.model.outside import OUTSIDE

from nodechannel._core.state import CHANNEL, HAND_OVER

needs_spin = pytest.mark.skipif(
    shutil.which("spin") is None or shutil.which("cc") is None, reason="spin or a C compiler is absent"
)


def test_every_move_of_the_tables_is_in_the_model() -> None:
    text = check.tables()
    for table in (CHANNEL, HAND_OVER):
        for (state, move), to in table.items():
            assert f":: state == {state.name} && move == {move.name} -> state = {to.name}\n" in text
    assert text.count(" -> state = ") == len(CHANNEL) + len(HAND_OVER)
    assert text.count("-> assert(false)") == 2


def test_a_removed_move_is_illegal() -> None:
    text = check.tables((("HAND_OVER", "AWAITING", "ACK", ""),))
    assert "state == AWAITING && move == ACK " not in text


def test_a_mutation_names_rules_and_a_complaint() -> None:
    assert all(model.fails and model.rules for model in check.MUTATIONS)
    assert len({model.name for model in (*check.MODELS, *check.MUTATIONS)}) == len(check.MODELS) + len(
        check.MUTATIONS
    )


def test_every_must_about_handles_lists_and_ends_is_broken_once_or_left_out_for_a_reason() -> None:
    broken = {rule for model in check.MUTATIONS for rule in re.findall(r"[A-Z]{3}-\d{3}", model.rules)}
    left_out = [rule for rules in OUTSIDE.values() for rule in rules]
    rules = json.loads((check.ROOT / "spec" / "requirements.json").read_text("utf-8"))["rules"]
    musts = {
        rule
        for rule, told in rules.items()
        if rule[:3] in ("HND", "SLS", "LIF") and told["level"].startswith("MUST")
    }
    assert not broken & set(left_out)
    assert len(left_out) == len(set(left_out))
    assert musts - broken == set(left_out)


@needs_spin
def test_a_broken_model_is_found() -> None:
    (broken,) = (model for model in check.MUTATIONS if model.name == "an announcement is answered again")
    good, line = check.judge(broken)
    assert good, line


@needs_spin
def test_an_error_that_does_not_come_is_a_failure() -> None:
    good, line = check.judge(check.Model("lists", "lists.pml", fails="closed"))
    assert (good, "no error" in line) == (False, True)
