"""How much audio a session has had, and how long it has lasted."""


class Meter:
    """Counts from the moment the session began, on the clock of the session's events."""

    def __init__(self, began: float | None = None) -> None:
        """None: it has not begun."""
        self._began = began
        self._audio_ms = 0.0

    def add_audio(self, ms: float) -> None:
        self._audio_ms += ms

    @property
    def audio_ms(self) -> int:
        """How much audio has come."""
        return round(self._audio_ms)

    def session_ms(self, now: float) -> int:
        """How long ago the session began; 0 if it has not."""
        return 0 if self._began is None else round(1000 * (now - self._began))
