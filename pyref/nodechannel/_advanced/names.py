"""Names of properties that are numbers: indices of arrays, and how JavaScript writes a number."""

from __future__ import annotations

from math import inf

from nodechannel._advanced import tags


def index_of(name: str) -> int | None:
    """Return the index that a name means in an array, or None."""
    if not name.isdecimal() or len(name) > 10 or not name.isascii() or (name[0] == "0" and name != "0"):
        return None
    index = int(name)
    return index if index < tags.MAX_INDEX else None


def name_of(value: float) -> str:
    """Return a number as JavaScript writes it, where it is the name of a property."""
    if isinstance(value, int) or value == 0:
        return str(int(value))
    if value != value:
        return "NaN"
    if abs(value) == inf:
        return "Infinity" if value > 0 else "-Infinity"
    return _shortest(value)


def _shortest(value: float) -> str:
    """Return the digits of `repr` in JavaScript's layout: exponents from 1e21 on and below 1e-6."""
    sign = "-" if value < 0 else ""
    mantissa, _, power = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    # The value is 0.digits times ten to this power.
    point = len(whole) + int(power or 0) if whole != "0" else len(digits) - len(fraction) + int(power or 0)
    digits = digits.rstrip("0")
    if 0 < point <= 21:
        text = digits.ljust(point, "0")
        text = f"{text[:point]}.{text[point:]}" if len(text) > point else text
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        exponent = point - 1
        text = f"{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{'+' if exponent > 0 else '-'}{abs(exponent)}"
    return sign + text
