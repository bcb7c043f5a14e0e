"""The acts that plans choose from, and the kinds of messages and faults that they have to show."""

from __future__ import annotations

from fuzz import frames
from fuzz.acts import HANDLES
from fuzz.receiving import RECEIVES, bad_input, counted, full_table, messages, refused, stray, useless
from fuzz.sending import ENDS, WAYS, sends, sends_handle, turned_down

ORDINARY = (messages, messages, messages, *RECEIVES, sends, sends, sends_handle, sends_handle, stray)
QUIET = (refused, full_table)
HARSH = (bad_input, useless)
LAST = (*ENDS, counted)
STRICT = (turned_down,)
"""Only the reference is held to these in the middle of a plan."""

MESSAGE_KINDS = (
    frozenset(frames.GOOD) - {"socket list"}
    | {f"NODE_SOCKET_{cmd}" for cmd in frames.SOCKET_CMDS}
    | {
        "NODE_HANDLE",
        "unowed ACK",
        "unowed NACK",
        "bad line",
        "blank line",
        "unknown type",
        "double envelope",
    }
    | {*HANDLES, "tcp-server", "unix-server", "tcp-client", "unix-client", "udp4", "socket count"}
    | {"two descriptors", "descriptor without an envelope", "envelope without a descriptor", "full table"}
    | {
        "send",
        "long send",
        "slow reader",
        "small buffer",
        "send handle",
        "send net.Server",
        "send dgram.Socket",
    }
    | {"crossing", "refused handle", "turned down", "torn line"}
    | {f"end: {how}" for how in WAYS}
)
"""Every kind of message and of fault that plans have to show."""

_LIKES = """
    cls-cmd-twice cls-send-internal cls-unknown-internal frm-blank-line frm-blanks-inside
    frm-garbage frm-good-before-bad frm-nul-alone frm-string-1m frm-truncated
    frm-unterminated-end frm-utf8-invalid frm-utf8-overlong frm-utf8-truncated hnd-no-room
    hnd-behind-plain hnd-crossing hnd-double-wrapped hnd-nack-four hnd-nack-server
    hnd-no-descriptor hnd-no-descriptor-then-good hnd-receive-dgram-native hnd-receive-native
    hnd-receive-native-server hnd-receive-server hnd-receive-socket hnd-receive-udp
    hnd-receive-unix-server hnd-receive-unix-socket hnd-send-queue hnd-send-server hnd-send-udp
    hnd-stray-not-kept hnd-stray-plain hnd-stray-then-good hnd-type-of-prototype
    hnd-unknown-type hnd-unsolicited-ack hnd-unsolicited-nack jsn-big-integer jsn-depth-1000
    jsn-dollar-member jsn-doubles jsn-duplicate-members jsn-empty-name jsn-integer-names
    jsn-lone-surrogate jsn-negative-zero jsn-not-nan jsn-proto jsn-raw-separators
    jsn-send-strings lif-child-killed-sigkill lif-close lif-disconnect-unfinished-line
    lif-end-instead-of-answer lif-end-with-queue lif-half-close lif-messages-then-close
    lif-send-then-disconnect sls-count-none sls-count-one sls-count-two sls-key-opaque
    sls-keys-apart sls-unasked-answers sls-unknown-key
"""
LIKES = frozenset(_LIKES.split())
"""The cases of the catalogue that acts vary."""
