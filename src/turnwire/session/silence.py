"""Silence, reported in pieces as it lasts."""

from turnwire.recognition import Pause
from turnwire.wire import messages

PIECE_MS = 1000
"""How much of it is reported at a time, at least."""


class SilenceReporter:
    """One session's silences; nothing of them is reported twice."""

    def __init__(self) -> None:
        self._reported_until = 0  # ms
        self._since = 0  # where the last silence began, ms

    def receive(self, pause: Pause) -> list[messages.Silence]:
        self._since = pause.since
        start = max(pause.since, self._reported_until)
        if pause.until - start < PIECE_MS:
            return []
        return [self._report(start, pause.until)]

    def mark(self, at: int) -> messages.Silence:
        """The answer to a ForceEndpoint before which nothing was said: the silence up to it."""
        return self._report(min(max(self._since, self._reported_until), at), at)

    def speech(self, until: int) -> None:
        """What comes before this was a turn."""
        self._reported_until = max(self._reported_until, until)

    def _report(self, start: int, end: int) -> messages.Silence:
        self._reported_until = max(self._reported_until, end)
        return messages.Silence(start_ms=start, end_ms=end)
