"""The audio that a client sends: what is accepted of it, and what the engine gets."""

from turnwire.session.chunks import ChunkRule
from turnwire.session.effects import Decode, Effect, Hold, Recognize
from turnwire.session.events import AudioReceived, Decoded, Undecodable
from turnwire.session.meter import Meter
from turnwire.session.pace import THROTTLE, Pace
from turnwire.session.warnings import Warnings
from turnwire.wire.audio import AudioDecoder
from turnwire.wire.closures import (
    INPUT_DURATION,
    TRANSMISSION_RATE,
    UNDECODABLE_AUDIO,
    Violation,
)
from turnwire.wire.encodings import DECODED_RATE, UNCOMPRESSED, Encoding

_STREAM_NAMES = {
    Encoding.OPUS: "Opus packet",
    Encoding.OGG_OPUS: "Ogg Opus stream",
    Encoding.AAC: "AAC stream",
}
"""What is decoded, in the words of the closure."""


class AudioIntake:
    """One session's audio; raises `Violation` for what breaks a rule."""

    def __init__(
        self,
        encoding: Encoding,
        sample_rate: int,
        *,
        ahead_seconds: float,
        meter: Meter,
        warnings: Warnings,
    ) -> None:
        self._encoding = encoding
        self._decoder: AudioDecoder | None = None
        """For the uncompressed encodings; the others are decoded elsewhere."""
        self.sample_rate = DECODED_RATE
        """That of the samples the engine gets."""
        if encoding in UNCOMPRESSED:
            self.sample_rate = sample_rate
            self._decoder = AudioDecoder(encoding, sample_rate)
        self._chunks = ChunkRule()
        self._pace = Pace(ahead_seconds)
        self._warned_of_pace = False
        self._meter = meter
        self._warnings = warnings

    def receive(self, event: AudioReceived, now: float) -> list[Effect]:
        if not event.data:
            return []
        if self._decoder is None:
            return [Decode(self._encoding, event.data)]
        ms = self._decoder.duration_ms(event.data)
        shown = f"{ms:.1f}"
        if not self._chunks.allows(ms):
            raise Violation(INPUT_DURATION.fill(ms=shown))
        warning = self._warnings.of(INPUT_DURATION, ms=shown) if self._chunks.forgave else []
        held = self._keep_pace(ms, now)
        return [Recognize(self._decoder.decode(event.data)), *warning, *held]

    def decoded(self, event: Decoded, now: float) -> list[Effect]:
        held = self._keep_pace(1000 * len(event.samples) / DECODED_RATE, now)
        return [Recognize(event.samples), *held]

    def undecodable(self, event: Undecodable) -> list[Effect]:
        what = _STREAM_NAMES[self._encoding]
        raise Violation(UNDECODABLE_AUDIO.fill(what=what, detail=event.detail))

    def interrupted(self) -> None:
        """A text message came between two chunks."""
        self._chunks.forgive()

    def _keep_pace(self, ms: float, now: float) -> list[Effect]:
        self._meter.add_audio(ms)
        self._pace.receive(ms / 1000, now)
        figures = {
            "audio": f"{self._pace.received:.1f}",
            "elapsed": f"{self._pace.elapsed:.6f}",
        }
        if self._pace.exceeded:
            raise Violation(TRANSMISSION_RATE.fill(**figures))
        if not self._pace.half_used:
            self._warned_of_pace = False
            return []
        warning = [] if self._warned_of_pace else self._warnings.of(TRANSMISSION_RATE, **figures)
        self._warned_of_pace = True
        return [*warning, Hold(ms / 1000 / THROTTLE)]
