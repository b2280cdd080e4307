"""Where in a client's own audio nobody speaks.

Silence is what is much less loud than the audio around it, so it needs no setting for a
microphone or a room. It is only used to choose between places to cut, and to tell whether words
can be missing from a stretch; never to leave audio out.
"""

import math
import operator
import sys
from array import array

from turnwire.client.audio import AudioFormat
from turnwire.wire.encodings import Encoding

FRAME_SECONDS = 0.02

QUIET = 0.06
"""Less loud than the loudest frames around by this factor (-24 dB) is quiet."""

SILENT = 0.02
"""Less loud than the loudest second of the stream by this factor (-34 dB) holds no words."""

NOISE = 8.0
"""Whatever is less loud than this, of 32,768, is both."""

LOUDEST = 95
"""The percentile of the frames that counts as the loudest."""

_FRAMES_A_SECOND = round(1 / FRAME_SECONDS)


class Loudness:
    """How loud each frame of a stream is, from its first byte on."""

    def __init__(self, format: AudioFormat) -> None:
        self._mulaw = format.encoding is Encoding.PCM_MULAW
        self._frame = round(FRAME_SECONDS * format.sample_rate) * format.sample_bytes
        self._rest = bytearray()
        self._levels = array("f")
        self._first = 0  # the number of the first frame that is kept
        self._second: list[float] = []
        self._loudest = 0.0

    def append(self, audio: bytes) -> None:
        self._rest += audio
        whole = len(self._rest) // self._frame * self._frame
        for start in range(0, whole, self._frame):
            level = self._level(bytes(self._rest[start : start + self._frame]))
            self._levels.append(level)
            self._second.append(level)
            if len(self._second) == _FRAMES_A_SECOND:
                self._loudest = max(self._loudest, sum(self._second) / _FRAMES_A_SECOND)
                self._second.clear()
        del self._rest[:whole]

    def forget(self, before: int) -> None:
        """The frames before this position are not asked for any more."""
        count = min(before // self._frame - self._first, len(self._levels))
        if count > 0:
            del self._levels[:count]
            self._first += count

    def is_silent(self, start: int, end: int) -> bool:
        """Whether no words can be between these positions."""
        levels = self._between(start, end)
        if not levels:
            # Less than a frame, or the last one, which is not whole yet.
            return end - start < self._frame
        return max(levels) <= max(NOISE, SILENT * self._loudest_so_far())

    def quiet(self, start: int, end: int) -> list[bool]:
        """For each whole frame between these positions, whether it is quiet."""
        levels = self._between(start, end)
        if not levels:
            return []
        ordered = sorted(levels)
        limit = max(NOISE, QUIET * ordered[min(len(ordered) * LOUDEST // 100, len(ordered) - 1)])
        return [level <= limit for level in levels]

    def _between(self, start: int, end: int) -> "array[float]":
        first = max(start // self._frame - self._first, 0)
        return self._levels[first : max(end // self._frame - self._first, 0)]

    def _loudest_so_far(self) -> float:
        if self._loudest:
            return self._loudest
        return sum(self._second) / len(self._second) if self._second else 0.0

    def _level(self, frame: bytes) -> float:
        samples: array[int] | list[int]
        if self._mulaw:
            samples = [_MULAW[byte] for byte in frame]
        else:
            samples = array("h", frame)
            if sys.byteorder == "big":
                samples.byteswap()
        return math.sqrt(sum(map(operator.mul, samples, samples)) / len(samples))


def run_length(flags: list[bool], flag: bool = True) -> int:
    """How many are `flag` from the first on."""
    return next((count for count, each in enumerate(flags) if each is not flag), len(flags))


def _mulaw_table() -> list[int]:
    # G.711: the complemented byte is sign, 3-bit exponent, 4-bit mantissa; 33 is the encoder's
    # bias, scaled here to 16 bits (33 << 2).
    table = []
    for byte in range(256):
        code = ~byte & 255
        magnitude = (((code & 15) << 3) + 132 << (code >> 4 & 7)) - 132
        table.append(-magnitude if code & 128 else magnitude)
    return table


_MULAW = _mulaw_table()
