"""Children of the channel behind another carrier. Imports the public carriers, `nodechannel.asyncio` and `errors`."""
