"""The rules of chapters 50, 55 and 60 that the models leave to the cases, by the reason.

The models know the order of frames and the life of descriptors. They do not know texts, kinds of sockets or processes.
"""

from __future__ import annotations

OUTSIDE: dict[str, tuple[str, ...]] = {
    "about the members of a message, and a frame of the models has a kind and a number alone": (
        "HND-001", "HND-002", "HND-007", "HND-013", "HND-014", "HND-027", "HND-038", "HND-039", "HND-040", "HND-044", "HND-048",
        "SLS-001", "SLS-002", "SLS-006", "SLS-007", "SLS-012", "SLS-017", "SLS-018",
    ),
    "about the kind, the mode or the owner of a socket, and a descriptor of the models is a number": (
        "HND-003", "HND-018", "HND-026", "HND-033", "HND-052", "HND-060",
    ),
    "about the bytes of a connection, which the models do not have": ("HND-009", "HND-058"),
    "about the place of descriptors in a frame: a receiver that keeps the algorithm forgives each of these": (
        "HND-004", "HND-005", "HND-006", "HND-028",
    ),
    "about the kernel's words for an end: in the models the end is one event, in both directions at once": (
        "LIF-005", "LIF-013",
    ),
    "about the process of the child, which is no part of a channel": ("LIF-020", "LIF-021", "LIF-022", "LIF-023", "SLS-021"),
    "about a question while the channel has a handle or an end: the model of lists has a channel that only keeps order": (
        "SLS-004", "SLS-019",
    ),
}  # fmt: skip
