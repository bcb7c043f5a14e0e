"""Values of a line: the fast path where orjson is installed, else the exact path alone.

`nodechannel._json.exact` defines the values that are read, `nodechannel._json.writing` the text that is written;
`nodechannel._json.fast` gives the same answers sooner.
"""

from __future__ import annotations

# Here, not where it is first needed: a signal handler may come in the midst of an import, and need it too.
from nodechannel._json import exact  # noqa: F401

try:
    from nodechannel._json.fast import decode, decode_lines, encode, encode_many
except ModuleNotFoundError:  # orjson is optional: PyPy, a bare interpreter
    from nodechannel._json.exact import decode, decode_lines
    from nodechannel._json.writing import encode, encode_many

__all__ = ["decode", "decode_lines", "encode", "encode_many", "fast_path"]


def fast_path() -> str:
    """Return the name of the codec, for people to read."""
    if decode.__module__ != "nodechannel._json.fast":
        return "standard library (orjson is not installed)"
    import orjson

    return f"orjson {orjson.__version__}"
