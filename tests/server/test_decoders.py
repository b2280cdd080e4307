"""What the server holds against a process that decodes."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support import PATIENCE, ManualClock
from turnwire.clock import GRACE_SECONDS
from turnwire.codecs import framing
from turnwire.server.decoders import OPEN_SECONDS, REPLY_SECONDS, CannotDecode, DecoderProcess
from turnwire.wire.encodings import Encoding

REPLY = framing.REPLY.pack(framing.DONE, 4) + bytes(4)


@asynccontextmanager
async def decoder(clock: ManualClock) -> AsyncIterator[tuple[DecoderProcess, socket.socket]]:
    """A decoder, and the socket that its process would have."""
    ours, theirs = socket.socketpair()
    with theirs:
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        process = DecoderProcess(reader, writer, clock, lambda: None)
        try:
            async with asyncio.timeout(PATIENCE):
                yield process, theirs
        finally:
            process.close()


async def length(process: DecoderProcess) -> int:
    return sum([len(samples) async for samples in process.decode(b"a packet")])


async def test_a_reply_that_came_while_the_server_stood_still_counts() -> None:
    clock = ManualClock()
    async with decoder(clock) as (process, theirs):
        decoding = asyncio.create_task(length(process))
        await asyncio.sleep(0)
        theirs.send(REPLY)
        clock.stall(6 * REPLY_SECONDS)
        assert await decoding == 2

        beginning = asyncio.create_task(process.begin(Encoding.OPUS))
        await asyncio.sleep(0)
        theirs.send(REPLY)
        clock.stall(6 * OPEN_SECONDS)
        await beginning


async def test_a_decoder_that_says_nothing_is_given_up() -> None:
    clock = ManualClock()
    async with decoder(clock) as (process, _):
        decoding = asyncio.create_task(length(process))
        await asyncio.sleep(0)
        clock.stall(6 * REPLY_SECONDS)
        clock.advance(GRACE_SECONDS)
        with pytest.raises(CannotDecode, match="gave up"):
            await decoding
    async with decoder(clock) as (process, _):
        beginning = asyncio.create_task(process.begin(Encoding.OPUS))
        await asyncio.sleep(0)
        clock.advance(OPEN_SECONDS)
        with pytest.raises(OSError, match="no decoder could be started"):
            await beginning
