"""The stretch of a stream's audio that may still be decoded."""

import numpy as np
from numpy.typing import NDArray

from turnwire.speech.engine import Samples

_DIP = 320
"""Samples over which loudness is judged: 20 ms."""


class AudioBuffer:
    """Mono audio that grows at its end and is dropped from its start.

    Positions are samples since the start of the stream, whatever has been dropped.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._start = 0

    @property
    def end(self) -> int:
        """Where the audio ends."""
        return self._start + len(self._bytes) // 2

    def append(self, samples: Samples) -> None:
        self._bytes += samples.tobytes()

    def drop(self, before: int) -> None:
        """Forget the audio before a position."""
        if before > self._start:
            before = min(before, self.end)
            del self._bytes[: 2 * (before - self._start)]
            self._start = before

    def copy(self, start: int, end: int) -> Samples:
        """The audio from `start` to `end`, as far as it is there."""
        first = max(start - self._start, 0)
        return np.frombuffer(bytes(self._bytes[2 * first : 2 * (end - self._start)]), np.int16)

    def quietest(self, start: int, end: int) -> int:
        """The middle of the quietest 20 ms between two positions, as far as the audio is there."""
        start = max(start, self._start)
        audio: NDArray[np.float64] = self.copy(start, end).astype(np.float64)
        if len(audio) < _DIP:
            return (start + end) // 2
        power = np.convolve(audio * audio, np.ones(_DIP), "valid")
        return start + int(power.argmin()) + _DIP // 2
