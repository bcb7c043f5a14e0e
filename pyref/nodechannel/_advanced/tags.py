"""The bytes of the format, in V8's words ([ADV-020])."""

from __future__ import annotations

HEADER = 0xFF
# [ADV-010] The version that every Node from 12 on reads.
WRITTEN_VERSION = 13
# [ADV-011, ADV-012] Node writes 13 or 15, Deno 16.
VERSIONS = range(13, 17)
# From this version on a native view is followed by flags.
VIEW_FLAGS_VERSION = 14

PADDING = 0x00
UNDEFINED, NULL, TRUE, FALSE = b"_0TF"
INT32, UINT32, DOUBLE, BIGINT = b"IUNZ"
LATIN1, UTF16, UTF8 = b'"cS'
OBJECT, OBJECT_END = b"o{"
DENSE, DENSE_END, SPARSE, SPARSE_END, HOLE = b"A$a@-"
MAP, MAP_END, SET, SET_END = b";:',"
DATE, REGEXP = b"DR"
BOXED_NUMBER, BOXED_STRING, BOXED_BIGINT, BOXED_TRUE, BOXED_FALSE = b"nszyx"
REFERENCE = ord("^")
ARRAY_BUFFER, RESIZABLE_BUFFER, NATIVE_VIEW = b"B~V"
HOST_OBJECT = ord("\\")
ERROR, ERROR_MESSAGE, ERROR_STACK, ERROR_CAUSE, ERROR_END = b"rmsc."
OBJECT_COUNT = ord("?")

# After HOST_OBJECT.
HOST_VIEW, HOST_OTHER = 0, 1

# [ADV-042] The number of a view's kind is its place.
VIEW_KINDS = (
    "Int8Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "Int16Array",
    "Uint16Array",
    "Int32Array",
    "Uint32Array",
    "Float32Array",
    "Float64Array",
    "DataView",
    "Buffer",
    "BigInt64Array",
    "BigUint64Array",
    "Float16Array",
)
BUFFER = VIEW_KINDS.index("Buffer")

NATIVE_KINDS = {
    ord("b"): "Int8Array",
    ord("B"): "Uint8Array",
    ord("C"): "Uint8ClampedArray",
    ord("w"): "Int16Array",
    ord("W"): "Uint16Array",
    ord("d"): "Int32Array",
    ord("D"): "Uint32Array",
    ord("f"): "Float32Array",
    ord("F"): "Float64Array",
    ord("h"): "Float16Array",
    ord("q"): "BigInt64Array",
    ord("Q"): "BigUint64Array",
    ord("?"): "DataView",
}

# [ADV-045]
ERROR_LETTERS = {
    ord("E"): "EvalError",
    ord("R"): "RangeError",
    ord("F"): "ReferenceError",
    ord("S"): "SyntaxError",
    ord("T"): "TypeError",
    ord("U"): "URIError",
}

# [ADV-044]
REGEXP_FLAGS = {1: "g", 2: "i", 4: "m", 8: "y", 16: "u", 32: "s", 128: "d", 256: "v"}

MAX_SAFE_INTEGER = 2**53 - 1
# An index of an array is less than this.
MAX_INDEX = 2**32 - 1
