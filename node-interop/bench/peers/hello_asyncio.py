"""The least that a child can do with the asyncio front end: a single message; with ``uvloop`` as its argument, in that loop."""

import asyncio
import sys

import nodechannel.asyncio as nodechannel


async def main():
    async with await nodechannel.connect() as channel:
        await channel.send("ready")


if sys.argv[1:] == ["uvloop"]:
    import uvloop

    uvloop.run(main())
else:
    asyncio.run(main())
