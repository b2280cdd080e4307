"""Silence in place of what a source does not give, so that its turns end."""

from turnwire.client.audio import AudioFormat

PAUSE_SECONDS = 0.3
"""How long a source may pause before silence takes its place."""


class Filling:
    """How far a source is behind the time."""

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._until: float | None = None  # when what it gave would have been spoken

    def starts(self, now: float) -> None:
        """From now on the source is expected to give something."""
        if self._until is None:
            self._until = now

    def given(self, audio: bytes, now: float) -> None:
        """Count audio, the source's or silence."""
        seconds = self._format.seconds(len(audio))
        until = now if self._until is None else self._until
        self._until = max(until, now - seconds) + seconds

    def due(self) -> float | None:
        """When silence is; None: not before `starts`."""
        return None if self._until is None else self._until + PAUSE_SECONDS

    def missing(self, now: float) -> int:
        """How many bytes of silence take the place of what was not given."""
        return 0 if self._until is None else self._format.size(now - self._until)
