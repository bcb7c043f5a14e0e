"""Which codec serves: orjson where it is installed, and the standard library where it is not."""

from __future__ import annotations

from nodechannel._json import loader
from support.codecs import READERS, needs_orjson, run

fast = READERS[-1]


@needs_orjson
def test_with_orjson_the_fast_path_serves() -> None:
    assert loader.decode is fast.decode
    assert loader.encode is fast.encode
    assert loader.fast_path().startswith("orjson 3.")


def test_without_orjson_the_exact_path_serves_alone() -> None:
    program = """if True:
        import sys
        sys.modules["orjson"] = None
        from nodechannel._json import codec
        from nodechannel._json import exact, writing
        from nodechannel._json.codec import decode, encode, fast_path
        assert encode({"a": (1,)}) == b'{"a":[1]}\\n'
        assert codec.decode is exact.decode and codec.encode is writing.encode
        assert decode(b'[-0]') == [0] and encode({"a": (1,)}) == b'{"a":[1]}\\n'
        print(fast_path())
    """
    assert run(program) == "standard library (orjson is not installed)\n"
