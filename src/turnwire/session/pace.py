"""How far audio may be ahead: of time, or of what was heard of it.

Nobody speaks faster than real time, but files are sent as fast as a socket takes them, and a
client that was cut off for a while sends what it kept. So audio may run ahead by an allowance; a
client that stays faster than real time uses it up in the end.

A session that says that its audio is a recording is judged by what waits instead, if it is told
that: it may be as fast as it is heard.
"""


class Pace:
    """One session's audio against the clock, both in seconds."""

    def __init__(self, allowance: float) -> None:
        self._allowance = allowance
        self._began = 0.0
        self.received = 0.0
        """Audio since it was last no further than real time."""
        self.elapsed = 0.0
        """Time since then."""

    def receive(self, seconds: float, now: float) -> None:
        """Count audio that has come."""
        if self._begins_anew(now):
            self._began = now
            self.received = 0.0
        self.received += seconds
        self.elapsed = now - self._began

    def _begins_anew(self, now: float) -> bool:
        return self.received <= now - self._began

    @property
    def exceeded(self) -> bool:
        """Whether the audio is further ahead than it may be."""
        return self._ahead > self._allowance

    @property
    def half_used(self) -> bool:
        return self._ahead > self._allowance / 2

    def ahead_at(self, now: float) -> float:
        """How far the audio received is ahead of time."""
        return max(0.0, self.received - (now - self._began))

    @property
    def _ahead(self) -> float:
        return self.received - self.elapsed


class RecordingPace(Pace):
    """One recording's audio against what was heard of it."""

    def __init__(self, allowance: float) -> None:
        super().__init__(allowance)
        self.heard = 0.0
        """Seconds."""

    def _begins_anew(self, now: float) -> bool:
        return not self.received

    def ahead_at(self, now: float) -> float:
        return self._ahead

    @property
    def _ahead(self) -> float:
        return self.received - self.heard
