"""What a microphone hears, on its way from the thread that hears it to the stream that sends it.

What finds no room is a gap, with silence in its place, so that all times stay true.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from turnwire.client import Gap, LocalError
from turnwire.client.audio import AudioFormat
from turnwire.wire.encodings import Encoding

WAITING_SECONDS = 60.0
"""How much waits for the stream to take it."""

QUIET_SECONDS = 5.0
"""A microphone that gives nothing for so long, not even silence, has stopped."""

NOT_TAKEN = "the microphone heard more than could be taken"
OVERFLOWED = "the system lost what the microphone heard"


@dataclass(slots=True)
class _Lost:
    size: int
    reason: str


class Listening:
    """`heard` and `stopped` may be called by any thread, the rest by the loop's."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, sample_rate: int, gaps: list[Gap]
    ) -> None:
        """`gaps` is where gaps are added, in ms of the audio."""
        self._loop = loop
        self._gaps = gaps
        self._format = AudioFormat(sample_rate, Encoding.PCM_S16LE)
        self._room = self._format.size(WAITING_SECONDS)
        self._position = 0
        self._waiting: deque[bytes | _Lost] = deque()
        self._stopped = False
        self._lock = threading.Lock()
        self._changed = asyncio.Event()
        self._is_told = False  # that something has changed, and did not look yet

    def heard(self, audio: bytes, *, after_a_loss: bool) -> None:
        """Take audio; `after_a_loss`: some before it is lost, nobody knows how much."""
        with self._lock:
            if after_a_loss:
                self._lose(len(audio), OVERFLOWED)
            if len(audio) > self._room:
                self._lose(len(audio), NOT_TAKEN)
            else:
                self._room -= len(audio)
                self._waiting.append(audio)
            self._tell()

    def stopped(self) -> None:
        """No more will come."""
        with self._lock:
            self._stopped = True
            self._tell()

    async def audio(self) -> AsyncIterator[bytes]:
        """What was heard, until somebody stops asking. Raises `LocalError` if no more comes."""
        while True:
            piece = await self._next()
            if isinstance(piece, bytes):
                self._position += len(piece)
                yield piece
                continue
            start, self._position = self._position, self._position + piece.size
            self._gaps.append(Gap(self._ms(start), self._ms(self._position), piece.reason))
            for silence in self._silence(piece.size):
                yield silence

    async def _next(self) -> bytes | _Lost:
        while True:
            with self._lock:
                self._changed.clear()
                self._is_told = False
                if self._waiting:
                    piece = self._waiting.popleft()
                    self._room += len(piece) if isinstance(piece, bytes) else 0
                    return piece
                if self._stopped:
                    raise LocalError("The microphone has stopped; is it still plugged in?")
            await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            self.stopped()

    def _lose(self, size: int, reason: str) -> None:
        last = self._waiting[-1] if self._waiting else None
        if isinstance(last, _Lost) and last.reason == reason:
            last.size += size
        else:
            self._waiting.append(_Lost(size, reason))

    def _tell(self) -> None:
        # Once, however much comes while the loop is busy.
        if not self._is_told and not self._loop.is_closed():
            self._is_told = True
            self._loop.call_soon_threadsafe(self._changed.set)

    def _silence(self, size: int) -> list[bytes]:
        second = self._format.size(1.0)
        return [bytes(min(second, size - start)) for start in range(0, size, second)]

    def _ms(self, position: int) -> int:
        return round(1000 * self._format.seconds(position))
