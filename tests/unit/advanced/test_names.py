"""Names that are numbers, with Node's own answers as expectations."""

from __future__ import annotations

import math

import pytest

from nodechannel._advanced.names import index_of, name_of


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("0", 0), ("7", 7), ("4294967294", 2**32 - 2), ("4294967295", None), ("00", None), ("01", None), ("-1", None),
        ("1.5", None), ("", None), ("x", None), ("²", None), ("٣", None), ("99999999999", None),
    ],
)  # fmt: skip
def test_an_index_is_a_number_that_javascript_would_write(name, index):
    assert index_of(name) == index


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (0, "0"), (-0.0, "0"), (-5, "-5"), (1.5, "1.5"), (-0.25, "-0.25"), (math.nan, "NaN"), (math.inf, "Infinity"),
        (-math.inf, "-Infinity"), (1e21, "1e+21"), (123456789012345680000.0, "123456789012345680000"),
        (1e-6, "0.000001"), (1e-7, "1e-7"), (1.25e-7, "1.25e-7"), (-1.5e300, "-1.5e+300"), (5e-324, "5e-324"),
    ],
)  # fmt: skip
def test_a_number_is_written_as_javascript_writes_it(value, name):
    assert name_of(value) == name
