"""Recorded audio as if it were spoken now: cut into messages, each held back until it is due.

A chunk is due when the last of its audio would have been spoken, counted from the start, so that a
late chunk is followed by prompt ones and the schedule does not drift.
"""

from collections.abc import AsyncIterable, AsyncIterator, Iterable

from turnwire.client.audio import AudioFormat
from turnwire.client.pace import CHUNK_MS
from turnwire.clock import Clock, LoopClock, pause
from turnwire.wire.encodings import Encoding
from turnwire.wire.limits import SHORTEST_CHUNK_MS


async def cut(
    pcm: Iterable[bytes] | AsyncIterable[bytes], *, sample_rate: int, chunk_ms: int = CHUNK_MS
) -> AsyncIterator[bytes]:
    """The same mono s16le audio in chunks of `chunk_ms`, 50 to 1000.

    The last chunk may be shorter, but is filled up with silence to the 50 ms that servers ask for.
    """
    format = AudioFormat(sample_rate, Encoding.PCM_S16LE)
    size = format.size(chunk_ms / 1000)
    held = bytearray()
    async for piece in each(pcm):
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    whole = len(held) // format.sample_bytes * format.sample_bytes
    if whole:
        yield bytes(held[:whole]).ljust(format.size(SHORTEST_CHUNK_MS / 1000), b"\0")


async def paced(
    chunks: AsyncIterable[bytes], *, sample_rate: int, clock: Clock | None = None
) -> AsyncIterator[bytes]:
    """The chunks of mono s16le audio, each held back until it is due."""
    clock = clock or LoopClock()
    format = AudioFormat(sample_rate, Encoding.PCM_S16LE)
    start, size = clock.now(), 0
    async for chunk in chunks:
        size += len(chunk)
        early = start + format.seconds(size) - clock.now()
        if early > 0:
            await pause(clock, early)
        yield chunk


async def each(pieces: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same pieces, whichever kind of source they come from."""
    if isinstance(pieces, AsyncIterable):
        async for piece in pieces:
            yield piece
    else:
        for piece in pieces:
            yield piece
