"""Text from a subject, made safe to print: no character of it can move a cursor, set a title, or hide the text beside it."""

import re

_HIDDEN = (
    "\x00-\x1f\x7f-\x9f"  # C0 and C1 controls: ESC, CSI and OSC among them
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # marks of direction, invisible separators, line separators
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f"
)
_ONE_LINE = re.compile(f"[{_HIDDEN}]")
_SEVERAL_LINES = re.compile(f"(?![\n\t])[{_HIDDEN}]")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str, *, lines: bool = False) -> str:
    """The text with each control, invisible or unpaired character as an escape; ``lines`` keeps line feeds and tabs.

    A lone surrogate becomes an escape too, so the result can always be encoded.
    """
    return (_SEVERAL_LINES if lines else _ONE_LINE).sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
