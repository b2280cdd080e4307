"""One session, from its first event to its one closure.

    effects = session.receive(event, now)

The session decides, its shell carries out: it opens sockets, runs engines and keeps the clock.
Whatever the order of events, these hold:

1. The last effect is `Close`, and there is exactly one; after it nothing happens.
2. `Begin` is the first message. An `Error` is the last, if the closure is announced by one, with
   the same code; `Termination` is the last of a session that the client ended.
3. What was said before the end is delivered before it, unless the client broke the protocol, the
   engine failed, or nobody is left to read it.

    OPENING ─Admitted─▶ LIVE ─Terminate, a deadline, DrainRequested─▶ DRAINING ─Finished─▶ CLOSED
       └─────────────────┴──── Abort, Disconnected, a broken rule ─┴──────────────▶ CLOSED

A session that is wound up before it opened has nothing to deliver, and closes at once.

`now` is any clock that does not run backwards, in seconds.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, ClassVar

from turnwire.recognition import Finished, Marked, Partial, Pause, SpeechEvent, SpeechStarted
from turnwire.session.chunks import ChunkRule
from turnwire.session.effects import (
    Admit,
    Close,
    Configure,
    Decode,
    Effect,
    Finish,
    Hold,
    Listen,
    Mark,
    MeasureVoice,
    Recognize,
    Send,
)
from turnwire.session.endpointing import endpointing, mode_of, recognition_options
from turnwire.session.events import (
    Abort,
    Admitted,
    AudioReceived,
    Connected,
    Decoded,
    Disconnected,
    DrainRequested,
    Event,
    TextReceived,
    Tick,
    Undecodable,
    VoiceMeasured,
)
from turnwire.session.heartbeat import INTERVAL_SECONDS, Pulse
from turnwire.session.pace import THROTTLE, Pace
from turnwire.session.silence import SilenceTeller
from turnwire.session.style import style
from turnwire.session.turns import TurnAssembler
from turnwire.wire.audio import DECODED_RATE, UNCOMPRESSED, AudioDecoder, Encoding
from turnwire.wire.closures import (
    CLIENT_GONE,
    INACTIVE,
    INPUT_DURATION,
    MESSAGE_TOO_LARGE,
    SERVER_ERROR,
    SESSION_ENDED,
    SESSION_EXPIRED,
    TRANSMISSION_RATE,
    UNDECODABLE_AUDIO,
    Closure,
    ClosureRow,
    Kind,
    Violation,
)
from turnwire.wire.limits import MESSAGE_BYTES
from turnwire.wire.messages import (
    API_VERSION,
    Begin,
    Configuration,
    Error,
    ForceEndpoint,
    KeepAlive,
    Terminate,
    Termination,
    UpdateConfiguration,
    Warning,
    parse_client_message,
)
from turnwire.wire.parameters import check_family, parse_query, requested_family

DRAIN_SECONDS = 30.0
"""How long the last words may take. Clients give up after 5 s; whoever waits longer, after
sending minutes of audio at once, is better served with their words than with an error."""

EXPIRY_WARNING_SECONDS = 60
"""How long before its expiry a session is warned of it."""

AHEAD_SECONDS = 300.0
"""How far audio may be ahead of time, unless the server is told otherwise."""


_DECODED = {
    Encoding.OPUS: "Opus packet",
    Encoding.OGG_OPUS: "Ogg Opus stream",
    Encoding.AAC: "AAC stream",
}
"""What is decoded, in the words of the closure."""


class State(Enum):
    OPENING = auto()
    """Not begun: the request and the credentials are being looked at."""
    LIVE = auto()
    DRAINING = auto()
    """The end is decided; the last words are on their way. The client is not listened to."""
    CLOSED = auto()


_HEARD = (SpeechStarted, Partial, Pause, Marked, Finished)

_HEEDED: dict[State, tuple[type, ...]] = {
    State.OPENING: (Connected, Admitted, Abort, DrainRequested, Disconnected),
    State.LIVE: (
        AudioReceived,
        Decoded,
        Undecodable,
        TextReceived,
        Tick,
        VoiceMeasured,
        Abort,
        DrainRequested,
        Disconnected,
        *_HEARD,
    ),
    State.DRAINING: (Tick, Abort, Disconnected, *_HEARD),
    State.CLOSED: (),
}
"""The events that mean something in each state; all others change nothing."""


_Handler = Callable[["Session", Any, float], list[Effect]]
_Alarm = Callable[["Session", float], list[Effect]]


class Session:
    """A session whose id is `id`, served by the model named `model`.

    Its audio may be `ahead_seconds` ahead of time.
    """

    def __init__(self, id: str, model: str, *, ahead_seconds: float = AHEAD_SECONDS) -> None:
        self.id = id
        self._model = model
        self._pace = Pace(ahead_seconds)
        self._begun: float | None = None
        self._state = State.OPENING
        self._audio_ms = 0.0
        self._alarms: dict[_Alarm, float] = {}
        """What is to happen when its time has come, if nothing else does before."""
        self._warned_of_pace = False

    def receive(self, event: Event, now: float) -> list[Effect]:
        """Everything that follows from this event, in order."""
        if not isinstance(event, _HEEDED[self._state]):
            return []
        try:
            return self._HANDLERS[type(event)](self, event, now)
        except Violation as violation:
            return self._close(violation.closure, now)

    def deadline(self) -> float | None:
        """When a `Tick` is due; None if nothing is waited for."""
        return min(self._alarms.values(), default=None)

    @property
    def audio_ms(self) -> int:
        """How much audio has come."""
        return round(self._audio_ms)

    def session_ms(self, now: float) -> int:
        """How long ago the session began; 0 if it did not."""
        return 0 if self._begun is None else round(1000 * (now - self._begun))

    def _connect(self, event: Connected, now: float) -> list[Effect]:
        self._parameters = parse_query(event.query)
        self._api_version = event.api_version or API_VERSION
        self._family = requested_family(self._parameters, loaded=self._model)
        self._model = self._parameters.speech_model or self._model
        check_family(self._parameters, self._family, self._model)
        self._turns = TurnAssembler(
            endpointing(self._family, self._parameters),
            style(self._family, self._parameters),
            partials=self._parameters.include_partial_turns,
        )
        self._rate = DECODED_RATE
        if self._parameters.encoding in UNCOMPRESSED:
            self._rate = self._parameters.sample_rate
            self._decoder = AudioDecoder(self._parameters.encoding, self._rate)
        self._chunks = ChunkRule()
        self._silence = SilenceTeller()
        return [Admit()]

    def _begin(self, event: Admitted, now: float) -> list[Effect]:
        self._state = State.LIVE
        self._begun = now
        self._alarms[Session._expire] = now + event.max_seconds
        self._alarms[Session._warn_of_expiry] = now + event.max_seconds - EXPIRY_WARNING_SECONDS
        self._stay_active(now)
        self._keep_pulse(now)
        return [
            Send(
                Begin(
                    id=self.id,
                    expires_at=int(event.unix_time) + event.max_seconds,
                    configuration=Configuration(
                        model=self._model,
                        mode=mode_of(self._family, self._parameters),
                        filter_profanity=bool(self._parameters.filter_profanity),
                        api_version=self._api_version,
                    ),
                )
            ),
            Listen(self._rate, recognition_options(self._family, self._parameters)),
        ]

    # What the client sends.

    def _audio(self, event: AudioReceived, now: float) -> list[Effect]:
        self._stay_active(now)
        self._check_size(len(event.data))
        if not event.data:
            return []
        if self._parameters.encoding not in UNCOMPRESSED:
            return [Decode(self._parameters.encoding, event.data)]
        ms = self._decoder.duration_ms(event.data)
        if not self._chunks.allows(ms):
            raise Violation(INPUT_DURATION.fill(ms=f"{ms:.1f}"))
        forgiven = self._warning(INPUT_DURATION, ms=f"{ms:.1f}") if self._chunks.forgave else []
        held = self._keep_pace(ms, now)
        return [Recognize(self._decoder.decode(event.data)), *forgiven, *held]

    def _decoded(self, event: Decoded, now: float) -> list[Effect]:
        held = self._keep_pace(1000 * len(event.samples) / DECODED_RATE, now)
        return [Recognize(event.samples), *held]

    def _undecodable(self, event: Undecodable, now: float) -> list[Effect]:
        what = _DECODED[self._parameters.encoding]
        raise Violation(UNDECODABLE_AUDIO.fill(what=what, detail=event.detail))

    def _keep_pace(self, ms: float, now: float) -> list[Effect]:
        self._audio_ms += ms
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
        warning = [] if self._warned_of_pace else self._warning(TRANSMISSION_RATE, **figures)
        self._warned_of_pace = True
        return [*warning, Hold(ms / 1000 / THROTTLE)]

    def _text(self, event: TextReceived, now: float) -> list[Effect]:
        self._stay_active(now)
        self._check_size(len(event.text.encode(errors="replace")))
        self._chunks.forgive()
        message = parse_client_message(event.text)
        return self._MESSAGES[type(message)](self, message, now)

    def _force_endpoint(self, _: ForceEndpoint, now: float) -> list[Effect]:
        return [Mark()]

    def _keep_alive(self, _: KeepAlive, now: float) -> list[Effect]:
        return []

    def _update(self, message: UpdateConfiguration, now: float) -> list[Effect]:
        check_family(message, self._family, self._model)
        before = recognition_options(self._family, self._parameters)
        self._parameters = self._parameters.updated(message)
        self._turns.endpointing = endpointing(self._family, self._parameters)
        self._turns.style = style(self._family, self._parameters)
        self._keep_pulse(now)
        after = recognition_options(self._family, self._parameters)
        return [Configure(after)] if after != before else []

    @staticmethod
    def _check_size(size: int) -> None:
        if size > MESSAGE_BYTES:
            raise Violation(MESSAGE_TOO_LARGE.fill(size=size, limit=MESSAGE_BYTES))

    # What the engine hears.

    def _heard(self, heard: SpeechEvent, now: float) -> list[Effect]:
        effects = self._turns.receive(heard)
        if isinstance(heard, Pause) and self._parameters.acknowledge_silence:
            effects += map(Send, self._silence.receive(heard))
        if not isinstance(heard, Finished):
            return effects
        return effects + self._close(self._ending, now)

    # What time brings.

    def _tick(self, _: Tick, now: float) -> list[Effect]:
        effects: list[Effect] = []
        while (deadline := self.deadline()) is not None and deadline <= now:
            alarm = min(self._alarms, key=lambda each: self._alarms[each])
            del self._alarms[alarm]
            effects += alarm(self, now)
        return effects

    def _stay_active(self, now: float) -> None:
        patience = self._parameters.inactivity_timeout
        if patience is not None:
            self._alarms[Session._end_inactive] = now + patience
            self._alarms[Session._warn_of_inactivity] = now + patience / 2

    def _expire(self, now: float) -> list[Effect]:
        return self._drain(SESSION_EXPIRED.fill(), now)

    def _warn_of_expiry(self, now: float) -> list[Effect]:
        return self._warning(SESSION_EXPIRED, n=round(self._alarms[Session._expire] - now))

    def _end_inactive(self, now: float) -> list[Effect]:
        return self._drain(INACTIVE.fill(n=self._parameters.inactivity_timeout), now)

    def _warn_of_inactivity(self, now: float) -> list[Effect]:
        limit = self._parameters.inactivity_timeout
        left = self._alarms[Session._end_inactive] - now
        return self._warning(INACTIVE, n=f"{(limit or 0) - left:g}", limit=limit)

    def _keep_pulse(self, now: float) -> None:
        if not self._parameters.session_heartbeat:
            self._alarms.pop(Session._beat, None)
        elif Session._beat not in self._alarms:
            self._pulse = Pulse(self.audio_ms, self.session_ms(now))
            self._alarms[Session._beat] = now + INTERVAL_SECONDS

    def _beat(self, now: float) -> list[Effect]:
        self._alarms[Session._beat] = now + INTERVAL_SECONDS
        return [MeasureVoice()]

    def _tell_heartbeat(self, event: VoiceMeasured, now: float) -> list[Effect]:
        return [Send(self._pulse.beat(self.audio_ms, self.session_ms(now), event.probability))]

    def _warning(self, row: ClosureRow, **details: object) -> list[Effect]:
        if not self._parameters.session_warnings:
            return []
        return [Send(Warning(warning_code=row.code, warning=row.announced(**details)))]

    # The end.

    def _ended(self, event: Abort, now: float) -> list[Effect]:
        return self._close(event.closure, now)

    def _wound_up(self, event: DrainRequested, now: float) -> list[Effect]:
        return self._drain(event.closure, now)

    def _disconnected(self, _: Disconnected, now: float) -> list[Effect]:
        return self._close(CLIENT_GONE.fill(), now)

    def _terminate(self, _: Terminate, now: float) -> list[Effect]:
        return self._drain(SESSION_ENDED.fill(), now)

    def _drain(self, ending: Closure, now: float) -> list[Effect]:
        if self._state is State.OPENING:
            return self._close(ending, now)
        self._state = State.DRAINING
        self._ending = ending
        self._alarms = {Session._give_up: now + DRAIN_SECONDS}
        return [Finish()]

    def _give_up(self, now: float) -> list[Effect]:
        # A client that asked for the end has not had all it was promised.
        complete = self._ending.row is not SESSION_ENDED
        return self._close(self._ending if complete else SERVER_ERROR.fill(), now)

    def _close(self, closure: Closure, now: float) -> list[Effect]:
        last_words: list[Effect] = []
        if closure.row is SESSION_ENDED:
            last_words.append(
                Send(
                    Termination(
                        audio_duration_seconds=round(self.audio_ms / 1000),
                        session_duration_seconds=round(self.session_ms(now) / 1000),
                    )
                )
            )
        elif closure.row.kind is not Kind.NORMAL:
            last_words.append(Send(Error.of(closure)))
        self._state = State.CLOSED
        self._alarms = {}
        return [*last_words, Close(closure)]

    _HANDLERS: ClassVar[dict[type, _Handler]] = {
        Connected: _connect,
        Admitted: _begin,
        AudioReceived: _audio,
        Decoded: _decoded,
        Undecodable: _undecodable,
        TextReceived: _text,
        Tick: _tick,
        VoiceMeasured: _tell_heartbeat,
        Abort: _ended,
        DrainRequested: _wound_up,
        Disconnected: _disconnected,
        **dict.fromkeys(_HEARD, _heard),
    }
    _MESSAGES: ClassVar[dict[type, _Handler]] = {
        Terminate: _terminate,
        ForceEndpoint: _force_endpoint,
        KeepAlive: _keep_alive,
        UpdateConfiguration: _update,
    }
