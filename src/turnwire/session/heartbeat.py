"""What a session's heartbeats say."""

from turnwire.wire import messages

INTERVAL_SECONDS = 5.0


class Pulse:
    """Audio against the clock, one interval after the other; times in ms."""

    def __init__(self, audio: int, elapsed: int) -> None:
        """The first interval begins when so much audio has come in so much time."""
        self._audio = audio
        self._elapsed = elapsed

    def beat(self, audio: int, elapsed: int, probability: float) -> messages.Heartbeat:
        """The interval that ends here, in which a voice was as probable as this at most."""
        heartbeat = messages.Heartbeat(
            total_audio_received_ms=audio,
            total_duration_ms=elapsed,
            realtime_factor=round((audio - self._audio) / max(elapsed - self._elapsed, 1), 4),
            max_speech_probability=round(probability, 6),
        )
        self._audio, self._elapsed = audio, elapsed
        return heartbeat
