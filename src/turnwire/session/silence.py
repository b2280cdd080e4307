"""Silence, reported in pieces as it lasts."""

from turnwire.recognition import Pause
from turnwire.wire import messages

PIECE_MS = 1000
"""How much of it is reported at a time, at least."""


class SilenceReporter:
    """One session's silences; nothing of them is reported twice."""

    def __init__(self) -> None:
        self._reported_until = 0  # ms

    def receive(self, pause: Pause) -> list[messages.Silence]:
        start = max(pause.since, self._reported_until)
        if pause.until - start < PIECE_MS:
            return []
        self._reported_until = pause.until
        return [messages.Silence(start_ms=start, end_ms=pause.until)]
