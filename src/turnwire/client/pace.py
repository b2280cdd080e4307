"""How far a session's audio may be ahead of time.

Pace           within what every server accepts
RecordingPace  of a recording, on a server that says how far it may be: as fast as it is heard
"""

import math

CHUNK_MS = 100
"""How much audio a message holds."""

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


class RecordingPace(Pace):
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
