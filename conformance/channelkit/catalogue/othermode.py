"""Cases about messages, asked in the mode ``advanced`` too: chapters 40 to 70 and 90 hold in both modes.

Such a case says its messages as values and no byte of their form, so only the serialization of the kit changes.
"""

from dataclasses import replace
from functools import cache
from typing import Any

from channelkit.catalogue.cases import Case, alternatives

MODE = "advanced"
_TOPICS = frozenset(("cls", "flo", "hnd", "sls", "lif", "clu"))
_OF_JSON = ("FRM-", "JSN-")


@cache
def as_advanced(case: Case) -> Case | None:
    """The case in the mode ``advanced``; None when the case speaks of bytes or belongs to JSON alone."""
    of_json = any(rule.startswith(_OF_JSON) for rule in case.rules)
    if case.topic not in _TOPICS or of_json or case.start or not all(map(_says_values, case.steps)):
        return None
    # Where writes end is for the cases of chapter 35.
    return replace(case, mode=MODE, segment="none")


def _says_values(step: dict[str, Any]) -> bool:
    chunks = step.get("write", ())
    # A place inside of a frame means another part of it there.
    if step.keys() & {"cut", "at"} or not all("message" in chunk for chunk in chunks):
        return False
    return not any({"text", "at"} & one.keys() for one in alternatives(step))
