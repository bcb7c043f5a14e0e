"""One `recvmsg` and one `sendmsg` for every front end. Imports `_core` and the rooms below it."""
