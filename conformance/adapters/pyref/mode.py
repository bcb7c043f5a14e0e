"""The mode of the channel, and the messages of that mode as the contract has them, and back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

MODE: Literal["json", "advanced"] = "json"
if os.environ.get("NODE_CHANNEL_SERIALIZATION_MODE") == "advanced":
    MODE = "advanced"

from_contract: Callable[[Any], Any]
to_contract: Callable[[Any], Any]
# The kit starts thousands of adapters, so each imports no more than its mode needs.
if MODE == "advanced":
    from advanced import lift as from_contract
    from advanced import lower as to_contract
else:
    from tags import tag as to_contract
    from tags import untag as from_contract

__all__ = ["MODE", "from_contract", "to_contract"]
