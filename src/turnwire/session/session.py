"""One session, from its first event to its one closure.

    effects = session.receive(event, now)

The session decides, its shell carries out: it opens sockets, runs engines and keeps the clock.
Whatever the order of events, these hold:

1. The last effect is `Close`, and there is exactly one; after it nothing happens.
2. `Begin` is the first message. An `Error` is the last, if the closure is announced by one, with
   the same code; `Termination` is the last of a session that the client ended.
3. What was said before the end is delivered before it, unless the client broke the protocol, the
   engine failed, or nobody is left to read it.

    OPENING ─Opened─▶ LIVE ─Terminate, expiry, inactivity, WoundUp─▶ DRAINING ─Finished─▶ CLOSED
       └───────────────┴─────── Ended, Disconnected, a broken rule ──────┴──────────────▶ CLOSED

A session that is wound up before it opened has nothing to deliver, and closes at once.

`now` is any clock that does not run backwards, in seconds.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from turnwire.hearing import Finished, Heard, Hypothesis, Marked, Pause, SpeechStarted
from turnwire.session.chunks import ChunkRule
from turnwire.session.effects import (
    Close,
    Configure,
    Effect,
    Finish,
    Listen,
    Mark,
    Recognize,
    Send,
)
from turnwire.session.events import (
    AudioReceived,
    Disconnected,
    Ended,
    Event,
    Opened,
    TextReceived,
    Tick,
    WoundUp,
)
from turnwire.session.turns import DEFAULTS, TurnAssembler
from turnwire.wire.audio import AudioDecoder
from turnwire.wire.closures import (
    CLIENT_GONE,
    INACTIVE,
    INPUT_DURATION,
    SERVER_ERROR,
    SESSION_ENDED,
    SESSION_EXPIRED,
    Closure,
    Kind,
    Violation,
)
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
    parse_client_message,
)
from turnwire.wire.parameters import parse_query, requested_family

DRAIN_SECONDS = 30.0
"""How long the last words may take. Clients give up after 5 s; whoever waits longer, after
sending minutes of audio at once, is better served with their words than with an error."""


class State(Enum):
    OPENING = auto()
    """Not begun: the credentials are being looked at."""
    LIVE = auto()
    DRAINING = auto()
    """The end is decided; the last words are on their way. The client is not listened to."""
    CLOSED = auto()


_HEARD = (SpeechStarted, Hypothesis, Pause, Marked, Finished)

_HEEDED: dict[State, tuple[type, ...]] = {
    State.OPENING: (Opened, Ended, WoundUp, Disconnected),
    State.LIVE: (AudioReceived, TextReceived, Tick, Ended, WoundUp, Disconnected, *_HEARD),
    State.DRAINING: (Tick, Ended, Disconnected, *_HEARD),
    State.CLOSED: (),
}
"""The events that mean something in each state; all others change nothing."""

_Handler = Callable[[Any, float], list[Effect]]


class Session:
    """A session whose id is `id`, served by the model named `model`."""

    def __init__(self, id: str, model: str) -> None:
        self.id = id
        self._model = model
        self._state = State.OPENING
        self._audio_ms = 0.0
        self._handlers: dict[type, _Handler] = {
            Opened: self._open,
            AudioReceived: self._audio,
            TextReceived: self._text,
            Tick: self._tick,
            Ended: lambda event, now: self._close(event.closure, now),
            WoundUp: lambda event, now: self._drain(event.closure, now),
            Disconnected: lambda _, now: self._close(CLIENT_GONE.because(), now),
            **dict.fromkeys(_HEARD, self._heard),
        }
        self._messages: dict[type, _Handler] = {
            Terminate: lambda _, now: self._drain(SESSION_ENDED.because(), now),
            ForceEndpoint: lambda *_: [Mark()],
            KeepAlive: lambda *_: [],
            UpdateConfiguration: self._update,
        }

    def receive(self, event: Event, now: float) -> list[Effect]:
        """Everything that follows from this event, in order."""
        if not isinstance(event, _HEEDED[self._state]):
            return []
        try:
            return self._handlers[type(event)](event, now)
        except Violation as violation:
            return self._close(violation.closure, now)

    def deadline(self) -> float | None:
        """When a `Tick` is due at the latest; None if nothing is waited for."""
        match self._state:
            case State.LIVE:
                return min(self._expires, self._inactive)
            case State.DRAINING:
                return self._drained
            case _:
                return None

    @property
    def audio_seconds(self) -> float:
        """How much audio has come."""
        return self._audio_ms / 1000

    def _open(self, event: Opened, now: float) -> list[Effect]:
        parameters = parse_query(event.query)
        family = requested_family(parameters, loaded=self._model)
        self._begun = now
        self._expires = now + event.max_seconds
        self._patience = float(parameters.inactivity_timeout or "inf")
        self._inactive = now + self._patience
        self._decoder = AudioDecoder(parameters.encoding, parameters.sample_rate)
        self._chunks = ChunkRule()
        self._turns = TurnAssembler(DEFAULTS[family].updated(parameters))
        self._state = State.LIVE
        return [
            Send(
                Begin(
                    id=self.id,
                    expires_at=int(event.unix_time) + event.max_seconds,
                    configuration=Configuration(
                        model=parameters.speech_model or self._model,
                        api_version=event.api_version or API_VERSION,
                    ),
                )
            ),
            Listen(parameters.sample_rate, self._turns.endpointing.vad_threshold),
        ]

    def _audio(self, event: AudioReceived, now: float) -> list[Effect]:
        self._inactive = now + self._patience
        if not event.data:
            return []
        ms = self._decoder.duration_ms(event.data)
        if not self._chunks.allows(ms):
            raise Violation(INPUT_DURATION.because(ms=f"{ms:.1f}"))
        self._audio_ms += ms
        return [Recognize(self._decoder.decode(event.data))]

    def _text(self, event: TextReceived, now: float) -> list[Effect]:
        self._inactive = now + self._patience
        self._chunks.forgive()
        message = parse_client_message(event.text)
        return self._messages[type(message)](message, now)

    def _update(self, message: UpdateConfiguration, now: float) -> list[Effect]:
        self._turns.endpointing = self._turns.endpointing.updated(message)
        if message.vad_threshold is None:
            return []
        return [Configure(message.vad_threshold)]

    def _heard(self, heard: Heard, now: float) -> list[Effect]:
        effects = self._turns.receive(heard)
        if not isinstance(heard, Finished):
            return effects
        return effects + self._close(self._ending, now)

    def _tick(self, _: Tick, now: float) -> list[Effect]:
        if self._state is State.DRAINING:
            if now < self._drained:
                return []
            complete = self._ending.row is not SESSION_ENDED
            return self._close(self._ending if complete else SERVER_ERROR.because(), now)
        if now >= self._expires:
            return self._drain(SESSION_EXPIRED.because(), now)
        if now >= self._inactive:
            return self._drain(INACTIVE.because(n=round(self._patience)), now)
        return []

    def _drain(self, ending: Closure, now: float) -> list[Effect]:
        if self._state is State.OPENING:
            return self._close(ending, now)
        self._state = State.DRAINING
        self._ending = ending
        self._drained = now + DRAIN_SECONDS
        return [Finish()]

    def _close(self, closure: Closure, now: float) -> list[Effect]:
        last_words: list[Effect] = []
        if closure.row is SESSION_ENDED:
            last_words.append(
                Send(
                    Termination(
                        audio_duration_seconds=round(self.audio_seconds),
                        session_duration_seconds=round(now - self._begun),
                    )
                )
            )
        elif closure.row.kind is not Kind.NORMAL:
            last_words.append(Send(Error.of(closure)))
        self._state = State.CLOSED
        return [*last_words, Close(closure)]
