"""Metrics have the meaning of the real @pm2/io: the same values go into both."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from nodechannel._pm2.metrics import MEASUREMENTS, TICK, Histogram, Meter
from support.node import node

# @pm2/io 6.1.0 computes these wrongly: `ema` is read when the histogram is made, and so stays 0.
WRONG_THERE = {"ema"}

THEIRS = """
const root = process.argv[1] + '/node_modules/@pm2/io/build/main/utils/metrics/';
const Histogram = require(root + 'histogram').default;
const Meter = require(root + 'meter').default;
const { values, measurements, marks } = JSON.parse(process.argv[2]);
const found = {};
for (const measurement of measurements) {
  const histogram = new Histogram({ measurement });
  values.forEach((value) => histogram.update(value));
  found[measurement] = Math.round(histogram.val() * 100) / 100;
}
const meter = new Meter({ samples: 60, timeframe: 30, debug: true });
found.meter = marks.map((n) => { meter.mark(n); meter._rate.tick(); return meter.val(); });
console.log(JSON.stringify(found));
"""


def theirs(packages: Any, **given: Any) -> dict[str, Any]:
    run = subprocess.run(
        [node(), "-e", THEIRS, str(packages), json.dumps(given)],
        capture_output=True,
        text=True,
        timeout=30,
        process_group=0,
        check=True,
    )
    return dict(json.loads(run.stdout))


VALUES = [5, 1.5, 9, 9, -3, 120, 7, 8, 2, 2, 2, 1000, 0.25, 6, 31, 4, 4]


@pytest.mark.package("@pm2/io", "same metrics", "`nodechannel.pm2`")
@pytest.mark.parametrize("values", [VALUES, VALUES[:2], VALUES * 20])
def test_histograms_agree(packages, values):
    measurements = [name for name in MEASUREMENTS if name not in WRONG_THERE]
    expected = theirs(packages, values=values, measurements=measurements, marks=[])
    for measurement in measurements:
        histogram = Histogram(measurement)
        for value in values:
            histogram.update(value)
        assert histogram.value() == pytest.approx(expected[measurement], abs=0.011), measurement


@pytest.mark.package("@pm2/io", "same metrics", "`nodechannel.pm2`")
def test_meters_agree(packages):
    marks = [10, 0, 0, 25, 1, 0, 300]
    time = 0.0
    meter = Meter(samples=60, timeframe=30, now=lambda: time)
    found = []
    for count in marks:
        meter.mark(count)
        time += TICK
        found.append(meter.value())
    assert found == theirs(packages, values=[], measurements=[], marks=marks)["meter"]
