"""How much audio a session has had, and how long it has lasted."""


class Meter:
    """Counts from the moment the session began, on the clock of the session's events."""

    def __init__(self, began: float | None = None) -> None:
        """None: it has not begun."""
        self._began = began
        self._stopped: float | None = None
        self._audio_ms = 0.0

    def add_audio(self, ms: float) -> None:
        self._audio_ms += ms

    @property
    def audio_ms(self) -> int:
        """How much audio has come."""
        return round(self._audio_ms)

    def session_ms(self, now: float) -> int:
        """How long ago the session began, or how long it took until it was stopped.

        0 if it has not begun.
        """
        end = now if self._stopped is None else self._stopped
        return 0 if self._began is None else round(1000 * (end - self._began))

    def stop(self, now: float) -> None:
        """Count no more time."""
        self._stopped = now
