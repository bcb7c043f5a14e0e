"""A short run of `make cluster-load`: every request is accounted for while workers are killed and rolled over."""

from __future__ import annotations

import asyncio

import pytest

from clusterload.proof import Account, prove
from support.node import node


@pytest.mark.parametrize("policy", ["round-robin", "shared"])
def test_every_request_is_accounted_for(policy, tmp_path):
    account = asyncio.run(
        prove(node(), tmp_path, requests=900, concurrency=8, workers=2, kills=1, rolls=1, policy=policy)
    )
    assert account.faults() == []
    assert (len(account.kills), account.rolls) == (1, 1)
    assert account.total["answered"] + len(account.lost) == 900


class TestTheAccountItself:
    def account(self, **members):
        total = {"answered": 2, "wrong": 0, "again": 0}
        return Account(2, total=total, **{"served": {"/1": [7], "/2": [8]}, "descriptors": (9, 9), **members})

    def test_all_is_well(self):
        assert self.account().faults() == []

    @pytest.mark.parametrize(
        "members",
        [
            {"served": {"/1": [7]}},
            {"served": {"/1": [7, 8], "/2": [8]}},
            {"descriptors": (9, 10)},
            {"lost": [{"lost": "/2", "began": 5, "ended": 6, "code": "x"}]},
        ],
    )
    def test_what_is_wrong_is_found(self, members):
        assert self.account(**members).faults()

    def test_only_the_killed_worker_excuses_a_loss(self):
        loss = {"lost": "/2", "began": 5, "ended": 60, "code": "x"}
        for pid, good in ((8, True), (7, False)):
            account = self.account(lost=[loss], kills=[(50, pid)])
            account.total["answered"] = 1
            assert (account.faults() == []) is good
        early = self.account(lost=[loss], kills=[(61, 8)])
        early.total["answered"] = 1
        assert early.faults()
