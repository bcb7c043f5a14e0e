"""A connection that adds to its messages the parts that its options ask for."""

from __future__ import annotations

from nodechannel._core.annotated import annotation
from nodechannel._core.connection import Connection
from nodechannel._core.message import ReceivedMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from nodechannel._core.options import ChannelOptions
    from nodechannel._core.serialization import Body, Serialization
    from nodechannel._transport.seam import Received


class AnnotatingConnection(Connection):
    """A connection for the options `raw` and `object_hook`; see `ChannelOptions`."""

    __slots__ = ("_annotation",)

    def __init__(
        self, serialization: Serialization, options: ChannelOptions, *, max_line: int | None = None
    ) -> None:
        super().__init__(serialization, max_line=max_line)
        self._annotation = annotation(options)

    def _take_whole(self, record: Received) -> bool:  # noqa: ARG002
        return False  # the bodies of the messages are needed besides their values

    def _receive_bodies(self, bodies: Sequence[Body]) -> None:
        assert self._annotation is not None
        staged = self._stage()
        for body in bodies:
            before = len(staged)
            super()._receive_bodies([body])
            if len(staged) > before and type(staged[-1]) is ReceivedMessage:
                staged[-1] = self._annotation.of(staged[-1], body)
