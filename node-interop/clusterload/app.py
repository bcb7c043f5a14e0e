"""An ASGI application that answers with its process id and notes each request before it answers, in the folder that LOG_FOLDER names."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND
_log = os.open(f"{os.environ['LOG_FOLDER']}/{os.getpid()}", _FLAGS) if "LOG_FOLDER" in os.environ else None


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answer a request."""
    if scope["type"] == "lifespan":
        for name in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{name}.complete"})
        return
    if _log is not None:
        os.write(_log, f"{scope['path']}\n".encode())
    body = f"python {scope['path']}".encode()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
    )
    await send({"type": "http.response.body", "body": body})
