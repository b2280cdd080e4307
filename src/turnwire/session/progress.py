"""How fast the client of a recording may be, and what it is told to keep to that.

A live session tells its client nothing: audio comes at the pace of speech. A recording comes as
fast as it is heard, which only the server knows. So Begin says how far ahead of that the client
should be, and `Progress` how far it has come. A client that keeps to it has never more waiting here
than each session may, whatever the others have.
"""

from turnwire.session.effects import Effect, Send
from turnwire.wire.limits import LONGEST_CHUNK_MS
from turnwire.wire.messages import Progress

RECORDING_WINDOW_SECONDS = 30.0
"""How far ahead a client should be at most: at twenty times real time, what it hears of progress
may be on the way for more than a second."""

WINDOW_SAMPLES = 32 * 16_000
"""How much audio that may be, the last chunk included: a megabyte, as each session may have."""

_STEPS = 6
"""How often progress is told on the way through one window."""

_CHUNK_SECONDS = LONGEST_CHUNK_MS / 1000


def window_seconds(sample_rate: int, ahead_seconds: float) -> float | None:
    """How far ahead the client of a recording should be; None: it can as well be paced.

    `ahead_seconds` is how far it may be. A last chunk may begin within the window and end after it.
    """
    most = min(WINDOW_SAMPLES / sample_rate, ahead_seconds / 2)
    window = min(RECORDING_WINDOW_SECONDS, most - _CHUNK_SECONDS)
    return window if window >= _CHUNK_SECONDS else None


class ProgressReporter:
    """Tells the client of one recording how much was heard."""

    def __init__(self, window: float) -> None:
        self._step = window / _STEPS
        self._told = 0.0

    def heard(self, seconds: float) -> list[Effect]:
        """So much was heard, all in all."""
        if seconds - self._told < self._step:
            return []
        self._told = seconds
        return [Send(Progress(audio_heard_ms=round(1000 * seconds)))]
