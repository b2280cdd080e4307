"""The audio that a client sends: what is accepted of it, and what the engine gets."""

from turnwire.session.chunks import ChunkRule
from turnwire.session.declared_rate import COMMON_RATES, RateWatch
from turnwire.session.effects import Decode, Effect, Log, Recognize
from turnwire.session.events import AudioReceived, Decoded, Undecodable
from turnwire.session.meter import Meter
from turnwire.session.pace import Pace, RecordingPace
from turnwire.session.progress import ProgressReporter, window_seconds
from turnwire.session.warnings import Warnings
from turnwire.wire.audio import AudioDecoder
from turnwire.wire.closure import Violation
from turnwire.wire.closures import INPUT_DURATION, TRANSMISSION_RATE, UNDECODABLE_AUDIO
from turnwire.wire.encodings import DECODED_RATE, UNCOMPRESSED, Encoding
from turnwire.wire.formats import foreign_format
from turnwire.wire.messages import check_binary

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
        recording: bool,
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
        self._begun = False
        self._chunks = ChunkRule()
        self._rate_watch = RateWatch(self.sample_rate)
        self._pace: Pace = Pace(ahead_seconds)
        self.window: float | None = None
        """How many seconds the client should be ahead of what was heard.

        None: that does not count; then even a recording is judged by real time.
        """
        self._progress: ProgressReporter | None = None
        if recording:
            self.window = window_seconds(self.sample_rate, ahead_seconds)
        if self.window is not None:
            self._pace = RecordingPace(ahead_seconds)
            self._rate_watch.stop()
            self._progress = ProgressReporter(self.window)
        self._warned_of_pace = False
        self._meter = meter
        self._warnings = warnings

    def receive(self, event: AudioReceived, now: float) -> list[Effect]:
        if not event.data:
            return []
        check_binary(event.data)
        if self._decoder is None:
            return [Decode(self._encoding, event.data)]
        ms = self._decoder.duration_ms(event.data)
        doubts = self._check_format(event.data) + self._check_duration(ms)
        doubts += self._check_rate(ms, now)
        doubts += self._keep_pace(ms, now)
        return [Recognize(self._decoder.decode(event.data)), *doubts]

    def decoded(self, event: Decoded, now: float) -> list[Effect]:
        warning = self._keep_pace(1000 * len(event.samples) / DECODED_RATE, now)
        return [Recognize(event.samples), *warning]

    def undecodable(self, event: Undecodable) -> list[Effect]:
        what = _STREAM_NAMES[self._encoding]
        raise Violation(UNDECODABLE_AUDIO.fill(what=what, detail=event.detail))

    def heard(self, seconds: float) -> list[Effect]:
        """So much more of a recording was heard."""
        if not isinstance(self._pace, RecordingPace):
            return []
        self._pace.heard += seconds
        return [] if self._progress is None else self._progress.heard(self._pace.heard)

    def interrupted(self) -> None:
        """A text message came between two chunks."""
        self._chunks.forgive()

    def _check_format(self, data: bytes) -> list[Effect]:
        if self._begun:
            return []
        self._begun = True
        found = foreign_format(data)
        if found is None:
            return []
        text = UNDECODABLE_AUDIO.announced(what=self._encoding, detail=found)
        return [Log(text), *self._warnings.text(UNDECODABLE_AUDIO, text)]

    def _check_duration(self, ms: float) -> list[Effect]:
        if not self._chunks.allows(ms):
            raise Violation(INPUT_DURATION.fill(ms=f"{ms:.1f}"), cause=self._declared)
        if not self._chunks.began_short_run:
            return []
        return self._warnings.of(INPUT_DURATION, ms=f"{ms:.1f}")

    def _check_rate(self, ms: float, now: float) -> list[Effect]:
        found = self._rate_watch.receive(ms / 1000, now)
        if found is None:
            return []
        pace, likely = found
        text = f"Audio comes at {pace:.2f} times real time: its sample_rate seems to be {likely}"
        if likely // 2 in COMMON_RATES:
            text += f", or {likely // 2} with two channels"
        return [
            Log(f"{text}; {self._declared}"),
            *self._warnings.text(TRANSMISSION_RATE, f"{text}; {self._declared}"),
        ]

    @property
    def _declared(self) -> str:
        return f"declared: sample_rate {self.sample_rate}, {self._encoding}, one channel"

    def no_room(self, now: float) -> None:
        """Nothing more can be kept of audio that is ahead of time."""
        if self._pace.ahead_at(now) > 0:
            raise Violation(TRANSMISSION_RATE.fill(**self._figures()), cause=self._declared)

    def ahead_at(self, now: float) -> float:
        """How many seconds of audio are ahead of time; of a recording, how many wait."""
        return self._pace.ahead_at(now)

    def _figures(self) -> dict[str, object]:
        return {
            "audio": f"{self._pace.received:.1f}",
            "elapsed": f"{self._pace.elapsed:.6f}",
        }

    def _keep_pace(self, ms: float, now: float) -> list[Effect]:
        self._meter.add_audio(ms)
        self._pace.receive(ms / 1000, now)
        if self._pace.exceeded:
            raise Violation(TRANSMISSION_RATE.fill(**self._figures()), cause=self._declared)
        if not self._pace.half_used:
            self._warned_of_pace = False
            return []
        if self._warned_of_pace:
            return []
        self._warned_of_pace = True
        self._rate_watch.stop()
        return list(self._warnings.of(TRANSMISSION_RATE, **self._figures()))
