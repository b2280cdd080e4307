"""How fast audio goes out.

    Pace         one session's audio: as fast as it comes, within what every server accepts
    Window       one session's audio, of a recording: as fast as it is heard
    paced, cut   recorded audio as if it were spoken now

A chunk of a recording is due when the last of its audio would have been spoken, counted from the
start, so that a late chunk is followed by prompt ones and the schedule does not drift.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from typing import Protocol

from turnwire.client.audio import AudioFormat
from turnwire.wire.encodings import Encoding
from turnwire.wire.limits import SHORTEST_CHUNK_MS

CHUNK_MS = 100

BURST_SECONDS = 60.0
"""How far audio may be ahead of time at once. Servers end sessions at minutes (ours: five)."""

CATCH_UP = 1.2
"""How much faster than real time it goes from there on. Servers that slow a client down read
audio at 1.25 times real time."""

MOST_AHEAD_SECONDS = 120.0
"""How far ahead it may get that way."""

PROGRESS_SECONDS = 120.0
"""For the server to get on with a recording while nothing more of it may be sent. Servers get on
about as fast as it was spoken at least, so that they tell of it every few seconds."""


class Pace:
    """One session's audio against the clock, counted as servers count it.

    `strict` is for servers that accept nothing faster than real time.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._burst = 1.0 if strict else BURST_SECONDS
        self._rate = 1.0 if strict else CATCH_UP
        self._began = 0.0
        self._sent = 0.0

    def sent(self, seconds: float, now: float) -> None:
        """Count audio that goes out."""
        if self._sent <= now - self._began:
            self._began = now
            self._sent = 0.0
        self._sent += seconds

    def due(self) -> float:
        """When more may go out."""
        return self._began + max(
            (self._sent - self._burst) / self._rate, self._sent - MOST_AHEAD_SECONDS, 0.0
        )

    def ahead(self, now: float) -> float:
        """How many seconds the server is given that it could not have heard spoken yet."""
        return max(self._sent - (now - self._began), 0.0)

    def gives_up_at(self) -> float | None:
        """When the server has been waited for in vain; None: nothing waits for it."""
        return None


class Window(Pace):
    """One session's audio against what the server says it has heard.

    For a recording, on a server that says by how much it may be ahead. Whoever has sent that much
    waits for the server alone, which is bound to get on: it tells how far it has come well before
    all of it is heard. If it does not, it is given up.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._heard = 0.0
        self._waits_since: float | None = None
        """Since when it has been shut and nothing was heard; None: it is open."""

    def sent(self, seconds: float, now: float) -> None:
        self._sent += seconds
        if self._is_shut and self._waits_since is None:
            self._waits_since = now

    def heard(self, seconds: float, now: float) -> None:
        """The server has come so far."""
        if seconds > self._heard:
            self._heard = seconds
            self._waits_since = now if self._is_shut else None

    @property
    def _is_shut(self) -> bool:
        return self._sent - self._heard >= self._seconds

    def due(self) -> float:
        return math.inf if self._is_shut else -math.inf

    def gives_up_at(self) -> float | None:
        return None if self._waits_since is None else self._waits_since + PROGRESS_SECONDS

    def ahead(self, now: float) -> float:
        return max(self._sent - self._heard, 0.0)


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Time, as far as the client asks for it; a test brings its own."""

    def now(self) -> float:
        """Seconds from any fixed point."""

    def unix_time(self) -> float:
        """Seconds since 1970."""

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        """Call once `now()` has reached `when`."""


class LoopClock:
    """The running event loop's time."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def unix_time(self) -> float:
        return time.time()

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_at(when, call)


async def sleep(clock: Clock, seconds: float) -> None:
    """Wait until the clock has gone on by so much."""
    over = asyncio.Event()
    timer = clock.call_at(clock.now() + seconds, over.set)
    try:
        await over.wait()
    finally:
        timer.cancel()


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
            await sleep(clock, early)
        yield chunk


async def each(pieces: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same pieces, whichever kind of source they come from."""
    if isinstance(pieces, AsyncIterable):
        async for piece in pieces:
            yield piece
    else:
        for piece in pieces:
            yield piece
