"""Where a stream had a voice, as far back as its audio may still be decoded."""

from turnwire.speech.voice import FRAME

_MOST_FRAMES = 2048
"""Half of them, 32.8 s, are always there: more than the longest window."""


class VoiceTrack:
    """Which frames were a voice. Positions are samples since the start of the stream."""

    def __init__(self) -> None:
        self._voices = bytearray()  # one for each frame
        self._start = 0  # where the first of them begins

    def append(self, *, voice: bool) -> None:
        """The next frame."""
        self._voices.append(voice)
        if len(self._voices) > _MOST_FRAMES:
            half = _MOST_FRAMES // 2
            del self._voices[:half]
            self._start += half * FRAME

    def within(self, start: int, end: int) -> int:
        """How much voice there was between two positions: samples of whole frames."""
        first = max(start - self._start, 0) // FRAME
        last = max(end - self._start, 0) // FRAME
        return self._voices.count(1, first, last) * FRAME
