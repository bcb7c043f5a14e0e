"""The rows, in the order of the spec: importing this package registers them in `measure.table.ALL`."""

from measure.chapters import (  # isort: skip
    bootstrap as bootstrap,
    framing as framing,
    values as values,
    advanced as advanced,
    classes as classes,
    flow as flow,
    receiving as receiving,
    misfits as misfits,
    sending as sending,
    socket_lists as socket_lists,
    lifecycle as lifecycle,
    workers as workers,
    primaries as primaries,
)
