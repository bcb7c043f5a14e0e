"""A JSON text that a user gives, made fit for one line of the wire."""

from __future__ import annotations

from nodechannel._json import codec
from nodechannel._json.text import JsonText
from nodechannel.errors import InvalidJson, InvalidMessage

# Blanks of JSON, which may stand around each of its tokens.
_BLANK = b" \t\r\n"


def given(text: bytes | str, *, trusted: bool) -> JsonText:
    """Return a message with that text; bytes are UTF-8. Line feeds between its tokens become spaces ([FRM-002]).

    A trusted text is not read. Raises `InvalidMessage` for a blank text, and for an untrusted one that is not JSON.
    """
    data = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else bytes(text)
    if not trusted:
        _check(data)
    # JSON has no raw line feed within a string, so each of these stands between tokens.
    line = data.strip(_BLANK).replace(b"\n", b" ")
    if not line:
        raise InvalidMessage("the JSON text is blank", "$")
    return JsonText(line)


def _check(text: bytes) -> None:
    try:
        text.decode()
        codec.decode(text)
    except UnicodeDecodeError as error:
        reason = f"the JSON text is not UTF-8 (byte {error.start})"
    except InvalidJson as error:
        reason = f"the text is not JSON: {error.reason}"
    else:
        return
    raise InvalidMessage(reason, "$")
