"""Metrics and the clock. That @pm2/io computes the same is shown in `tests/packages/test_pm2_metrics.py`."""

from __future__ import annotations

import math

import pytest

from nodechannel._pm2.metrics import MEASUREMENTS, SAMPLE, TICK, Counter, Gauge, Histogram, Meter, Metrics


def test_a_meter_that_nobody_asked_for_a_long_time_forgets():
    time = 0.0
    meter = Meter(now=lambda: time)
    assert meter.value() is None
    meter.mark(1000)
    time = TICK
    assert meter.value() != 0
    time = 1e6
    assert meter.value() == 0


def test_a_histogram_keeps_a_bounded_sample_of_new_values():
    time = 0.0
    histogram = Histogram("median", now=lambda: time)
    assert histogram.value() is None
    for _ in range(5 * SAMPLE):
        histogram.update(1)
    time = 3600.0
    for _ in range(SAMPLE):
        histogram.update(2)
    assert histogram.value() == 2
    with pytest.raises(ValueError, match="none of min, max"):
        Histogram("p42")


def test_counters_and_gauges_have_no_value_before_the_first():
    counter, gauge = Counter(), Gauge()
    assert (counter.value(), gauge.value()) == (None, None)
    counter.inc(5)
    counter.dec()
    gauge.set("idle")
    assert (counter.value(), gauge.value()) == (4, "idle")
    counter.reset()
    assert counter.value() == 0


@pytest.mark.parametrize("measurement", MEASUREMENTS)
def test_each_measurement_of_a_constant_is_known(measurement):
    histogram = Histogram(measurement)
    for _ in range(4):
        histogram.update(3)
    assert histogram.value() == {"sum": 12, "count": 4, "variance": 0}.get(measurement, 3)


def test_metrics_are_read_by_name_and_without_what_json_cannot_carry():
    metrics, failed = Metrics(), []
    values = {
        "a": 1,
        "b": "x",
        "c": True,
        "big": 2**60,
        "huge": 10**400,
        "long": "x" * 5000,
        "nan": math.nan,
        "inf": math.inf,
        "none": None,
    }
    for name, value in values.items():
        metrics.add(name, lambda value=value: value, "ms" if name == "a" else None, None, True)  # type: ignore[misc]
    metrics.add("bad", lambda: 1 // 0, None, "t", False)
    found = metrics.read(lambda name, error: failed.append((name, type(error))))
    assert found == {
        "a": {"historic": True, "unit": "ms", "value": 1}, "b": {"historic": True, "value": "x"},
        "c": {"historic": True, "value": True}, "big": {"historic": True, "value": 2.0**60},
        "long": {"historic": True, "value": "x" * 1000},
    }  # fmt: skip
    assert failed == [("bad", ZeroDivisionError)]
    metrics.read(lambda name, error: failed.append((name, type(error))))
    assert len(failed) == 1, "a metric that failed is removed"
    metrics.remove("a")
    metrics.remove("a")
    assert "a" not in metrics.read(print)
    for bad in [(1, None), ("m", 1)]:
        with pytest.raises(TypeError, match="are texts, not 1"):
            metrics.add(bad[0], bool, bad[1], None, True)  # type: ignore[arg-type]
