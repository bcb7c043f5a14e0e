"""The bytes of the format, compared with those that Node's V8 writes."""

from __future__ import annotations

import json
import subprocess

from nodechannel._advanced import tags
from support.node import node

# The value of each tag, as a program would write it.
SAMPLES = {
    "undefined": tags.UNDEFINED,
    "null": tags.NULL,
    "true": tags.TRUE,
    "false": tags.FALSE,
    "1": tags.INT32,
    "1.5": tags.DOUBLE,
    "1n": tags.BIGINT,
    "'a'": tags.LATIN1,
    "'\u20ac'": tags.UTF16,
    "{}": tags.OBJECT,
    "[]": tags.DENSE,
    "Array(9)": tags.SPARSE,
    "new Map": tags.MAP,
    "new Set": tags.SET,
    "new Date(0)": tags.DATE,
    "/a/g": tags.REGEXP,
    "Object(1)": tags.BOXED_NUMBER,
    "Object('a')": tags.BOXED_STRING,
    "Object(1n)": tags.BOXED_BIGINT,
    "Object(true)": tags.BOXED_TRUE,
    "Object(false)": tags.BOXED_FALSE,
    "new ArrayBuffer(1)": tags.ARRAY_BUFFER,
    "Buffer.from('a')": tags.HOST_OBJECT,
    "new Error('a')": tags.ERROR,
}


def test_each_value_has_the_tag_that_node_writes():
    program = (
        "const v8 = require('v8'); console.log(JSON.stringify(["
        + ",".join(SAMPLES)
        + "].map((v) => [...v8.serialize(v)])))"
    )
    shown = subprocess.run(
        [node(), "-e", program], capture_output=True, check=True, timeout=50, process_group=0
    )
    for frame, (sample, tag) in zip(json.loads(shown.stdout), SAMPLES.items(), strict=True):
        assert frame[0] == tags.HEADER
        assert frame[1] in tags.VERSIONS
        behind = [byte for byte in frame[2:] if byte != tags.PADDING]
        assert behind[0] == tag, sample


def test_no_two_values_share_a_tag():
    assert len(set(SAMPLES.values())) == len(SAMPLES)
    assert tags.VIEW_KINDS[tags.BUFFER] == "Buffer"
    assert set(tags.NATIVE_KINDS.values()) | {"Buffer"} == set(tags.VIEW_KINDS)
