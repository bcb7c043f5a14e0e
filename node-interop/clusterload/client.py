"""The load generator as a process."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE = Path(__file__).resolve().parent


async def load(
    node: str, port: int, total: int, concurrency: int, kinds: str = "both"
) -> AsyncIterator[dict[str, Any]]:
    """Send requests and yield the reports of the generator."""
    words = [str(HERE / "client.cjs"), str(port), str(total), str(concurrency), kinds]
    process = await asyncio.create_subprocess_exec(
        node, *words, stdout=asyncio.subprocess.PIPE, process_group=0
    )
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            yield json.loads(line)
        await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
