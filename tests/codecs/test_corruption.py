"""A thousand corrupted streams of every encoding end in 3006 or in a transcript.

Seven of ten are given to decoders as a server has them, one process for each stream. The others are
sessions over real sockets, twenty at once.
"""

import asyncio
import itertools
import os
from collections import Counter

import pytest

from tests.codecs.corruption import streams
from tests.encodings import opus_packets, tone
from tests.server.processes import decoders
from tests.support import PATIENCE, TERMINATE, Conversation, Server, serving
from turnwire.clock import LoopClock
from turnwire.server.decoders import CannotDecode, Decoders
from turnwire.wire.encodings import UNCOMPRESSED, Encoding

COMPRESSED = sorted(frozenset(Encoding) - UNCOMPRESSED)

DIRECT, SESSIONS = 700, 300

AT_ONCE = 20


@pytest.mark.parametrize("encoding", COMPRESSED)
async def test_a_thousand_corrupted_streams(encoding: Encoding) -> None:
    corrupted = streams(encoding, seed=6)
    outcomes: Counter[str] = Counter()
    pool = Decoders()

    async def decode() -> None:
        for stream in itertools.islice(corrupted, DIRECT // AT_ONCE):
            decoder = await pool.open(encoding, LoopClock())
            try:
                for message in stream:
                    async for samples in decoder.decode(message):
                        assert len(samples) <= 32_000
                outcomes["decoded"] += 1
            except CannotDecode as error:
                assert len(str(error)) > 10
                outcomes["undecodable"] += 1
            finally:
                decoder.close()

    await asyncio.gather(*(decode() for _ in range(AT_ONCE)))
    await pool.aclose()
    # Both ways out, or these streams are no test.
    assert min(outcomes["decoded"], outcomes["undecodable"]) > DIRECT / 20
    assert outcomes.total() == DIRECT

    async def client(server: Server) -> list[Conversation]:
        return [
            await server.converse(f"encoding={encoding}", [*stream, TERMINATE])
            for stream in itertools.islice(corrupted, SESSIONS // AT_ONCE)
        ]

    async with serving() as server:
        for said in itertools.chain(
            *await asyncio.gather(*(client(server) for _ in range(AT_ONCE)))
        ):
            assert said.code in (1000, 3006)
            if said.code == 3006:
                assert "Failed to decode" in said.messages[-1]["error"]
        packets = opus_packets(tone(320))
        assert (await server.converse("encoding=opus", [*packets, TERMINATE])).transcript == "one"
        async with asyncio.timeout(PATIENCE):
            # The close is sent first.
            while len(decoders(os.getpid())) > 1:
                await asyncio.sleep(0.001)
    assert decoders(os.getpid()) == []
