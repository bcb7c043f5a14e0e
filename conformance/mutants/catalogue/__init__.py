"""The mutants: each is ``peer.py`` with a text replaced, and names the rules that it breaks. Each chapter or role has a file."""

from mutants.catalogue import (
    advanced_frames,
    advanced_read,
    advanced_write,
    bootstrap,
    classification,
    codec,
    coincidences,
    faults,
    flow,
    framing,
    handles_receive,
    handles_send,
    json_read,
    json_write,
    lifecycle,
    primary,
    seconds,
    socket_lists,
    windows,
    worker,
)
from mutants.catalogue.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *bootstrap.MUTANTS,
    *framing.MUTANTS,
    *json_read.MUTANTS,
    *json_write.MUTANTS,
    *classification.MUTANTS,
    *flow.MUTANTS,
    *handles_send.MUTANTS,
    *handles_receive.MUTANTS,
    *socket_lists.MUTANTS,
    *lifecycle.MUTANTS,
    *faults.MUTANTS,
    *codec.MUTANTS,
    *worker.MUTANTS,
    *primary.MUTANTS,
    *coincidences.MUTANTS,
    *advanced_frames.MUTANTS,
    *advanced_read.MUTANTS,
    *advanced_write.MUTANTS,
    *windows.MUTANTS,
    *seconds.MUTANTS,
)

__all__ = ["MUTANTS", "Mutant"]
