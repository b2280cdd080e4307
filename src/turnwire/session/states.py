"""The states of a session, and what each of them does about the events that concern it.

What is known in a state is a field of its object. An event is answered with the state that
follows, which may be the same, and with effects; which events concern which state is in
`turnwire.session.session`.
"""

from collections.abc import Callable
from math import inf
from typing import Any, ClassVar

from turnwire.recognition import Finished, SpeechEvent
from turnwire.session.alarms import Alarm, Alarms
from turnwire.session.audio import AudioIntake
from turnwire.session.effects import (
    Admit,
    Configure,
    Effect,
    Finish,
    Listen,
    Log,
    Mark,
    MeasureVoice,
    Send,
)
from turnwire.session.events import (
    Abort,
    Admitted,
    AudioReceived,
    Connected,
    Decoded,
    Disconnected,
    DrainRequested,
    Funded,
    Heard,
    NoRoom,
    TextReceived,
    Tick,
    Undecodable,
    VoiceMeasured,
)
from turnwire.session.funding import Funding
from turnwire.session.heartbeat import INTERVAL_SECONDS, Pulse
from turnwire.session.meter import Meter
from turnwire.session.options import SessionOptions
from turnwire.session.reporting import SpeechReporter
from turnwire.session.request import SessionRequest
from turnwire.session.state import State, Step, Unopened
from turnwire.session.warnings import Warnings
from turnwire.wire.closure import Closure, Violation
from turnwire.wire.closures import (
    INACTIVE,
    INVALID_PARAMETER,
    MESSAGE_TOO_LARGE,
    SERVER_ERROR,
    SESSION_ENDED,
    SESSION_EXPIRED,
)
from turnwire.wire.limits import MESSAGE_BYTES
from turnwire.wire.messages import (
    Begin,
    ForceEndpoint,
    KeepAlive,
    Terminate,
    UpdateConfiguration,
    parse_client_message,
)

STALLED_DRAIN_SECONDS = 30.0
"""How long the engine may get on no further with the last words. Clients give up after 5 s; one
that waits longer, of a server with too much to do or after sending minutes of audio at once, is
better served with its words than with an error."""

LONGEST_DRAIN_SECONDS = 300.0
"""How long live audio is waited for in any case, beyond what was ahead of time."""

EXPIRY_WARNING_SECONDS = 60
"""How long before its expiry a session is warned of it."""


class Opening(Unopened):
    """Nothing is known of the client yet."""

    def __init__(self, id: str, model: str, options: SessionOptions) -> None:
        """The session is served by the model named `model`."""
        super().__init__(Meter())
        self._id = id
        self._model = model
        self._options = options

    def connect(self, event: Connected, now: float) -> Step:
        request = SessionRequest.parse(event, loaded=self._model)
        self._options.check(request.parameters)
        admit = Admit(recording=request.parameters.recording)
        return Admitting(self._id, request, self._options), [admit]


class Admitting(Unopened):
    """The request is valid; whether the client may have a session is being found out."""

    def __init__(self, id: str, request: SessionRequest, options: SessionOptions) -> None:
        super().__init__(Meter())
        self._id = id
        self._request = request
        self._options = options

    def begin(self, event: Admitted, now: float) -> Step:
        live = Live(self._request, self._options, max_seconds=event.max_seconds, now=now)
        begin = Begin(
            id=self._id,
            expires_at=int(event.unix_time) + event.max_seconds,
            configuration=self._request.configuration,
            recording_window_ms=live.recording_window_ms,
        )
        listen = Listen(live.sample_rate, self._request.recognition_options)
        return live, [Send(begin), listen, *live.doubts()]


class Live(State):
    """Audio comes in, turns go out."""

    def __init__(
        self, request: SessionRequest, options: SessionOptions, *, max_seconds: int, now: float
    ) -> None:
        super().__init__(Meter(began=now))
        parameters = request.parameters
        self._request = request
        self._warnings = Warnings(asked=parameters.session_warnings)
        self._audio = AudioIntake(
            parameters.encoding,
            parameters.sample_rate,
            ahead_seconds=options.ahead_seconds,
            recording=parameters.recording,
            meter=self.meter,
            warnings=self._warnings,
        )
        self._speech = SpeechReporter(request, options, self._warnings)
        self._pulse: Pulse | None = None
        """None: no heartbeats are asked for."""
        self._alarms = Alarms()
        self._funding = Funding(self.meter, self._alarms, self._warnings)
        self._alarms.set(Alarm.EXPIRY, now + max_seconds)
        self._alarms.set(Alarm.EXPIRY_WARNING, now + max_seconds - EXPIRY_WARNING_SECONDS)
        self._stay_active(now)
        self._keep_pulse(now)

    def deadline(self) -> float | None:
        return self._alarms.next()

    @property
    def sample_rate(self) -> int:
        """That of the samples the engine gets."""
        return self._audio.sample_rate

    @property
    def recording_window_ms(self) -> int | None:
        """How far ahead of what was heard the client of a recording should be."""
        return None if self._audio.window is None else round(1000 * self._audio.window)

    def doubts(self) -> list[Effect]:
        """Warnings of what the client asked for that changes nothing."""
        return self._warn_of_no_effect(self._request.without_effect)

    # What the client sends.

    def audio(self, event: AudioReceived, now: float) -> Step:
        self._stay_active(now)
        _check_size(len(event.data))
        return self._stay_funded(self._audio.receive(event, now), now)

    def decoded(self, event: Decoded, now: float) -> Step:
        return self._stay_funded(self._audio.decoded(event, now), now)

    def undecodable(self, event: Undecodable, now: float) -> Step:
        return self, self._audio.undecodable(event)

    def no_room(self, _: NoRoom, now: float) -> Step:
        self._audio.no_room(now)
        return self, []

    def text(self, event: TextReceived, now: float) -> Step:
        self._stay_active(now)
        _check_size(len(event.text.encode(errors="replace")))
        self._audio.interrupted()
        message = parse_client_message(event.text)
        return self._MESSAGES[type(message)](self, message, now)

    def _terminate(self, _: Terminate, now: float) -> Step:
        return self._drain(SESSION_ENDED.fill(), now)

    def _force_endpoint(self, _: ForceEndpoint, now: float) -> Step:
        return self, [Mark()]

    def _keep_alive(self, _: KeepAlive, now: float) -> Step:
        return self, []

    def _update(self, message: UpdateConfiguration, now: float) -> Step:
        before = self._request.recognition_options
        doubts = self._warn_of_no_effect(self._request.without_effect_in(message))
        self._request = self._request.updated(message)
        self._speech.update(self._request)
        self._keep_pulse(now)
        after = self._request.recognition_options
        return self, [*([Configure(after)] if after != before else []), *doubts]

    def _warn_of_no_effect(self, names: list[tuple[str, str]]) -> list[Effect]:
        return [
            effect
            for name, detail in names
            for effect in self._warnings.of(INVALID_PARAMETER, name=name, detail=detail)
        ]

    # What the account pays for.

    def funded(self, event: Funded, now: float) -> Step:
        return self, self._funding.receive(event, now)

    def _stay_funded(self, effects: list[Effect], now: float) -> Step:
        if self._funding.used_up:
            state, end = self._spend(now)
            return state, effects + end
        return self, effects + self._funding.cover()

    def _spend(self, now: float) -> Step:
        # Nobody pays for the time that the last words take.
        self.meter.stop(now)
        return self._drain(self._funding.closure, now)

    # What the engine recognizes.

    def speech(self, event: SpeechEvent, now: float) -> Step:
        return self, self._speech.receive(event)

    def heard(self, event: Heard, now: float) -> Step:
        return self, self._audio.heard(event.seconds)

    def voice_measured(self, event: VoiceMeasured, now: float) -> Step:
        if self._pulse is None:
            return self, []
        meter = self.meter
        beat = self._pulse.beat(meter.audio_ms, meter.session_ms(now), event.probability)
        return self, [Send(beat)]

    # What time brings.

    def tick(self, _: Tick, now: float) -> Step:
        state: State = self
        effects: list[Effect] = []
        while state is self and (alarm := self._alarms.take(now)) is not None:
            state, more = self._ALARMS[alarm](self, now)
            effects += more
        return state, effects

    def _stay_active(self, now: float) -> None:
        timeout = self._request.parameters.inactivity_timeout
        if timeout is not None:
            self._alarms.set(Alarm.INACTIVITY, now + timeout)
            self._alarms.set(Alarm.INACTIVITY_WARNING, now + timeout / 2)

    def _expire(self, now: float) -> Step:
        return self._drain(SESSION_EXPIRED.fill(), now)

    def _warn_of_expiry(self, now: float) -> Step:
        left = self._alarms.left(Alarm.EXPIRY, now)
        return self, self._warnings.of(SESSION_EXPIRED, n=round(left))

    def _end_inactive(self, now: float) -> Step:
        return self._drain(INACTIVE.fill(n=self._request.parameters.inactivity_timeout), now)

    def _warn_of_inactivity(self, now: float) -> Step:
        limit = self._request.parameters.inactivity_timeout or 0
        left = self._alarms.left(Alarm.INACTIVITY, now)
        return self, self._warnings.of(INACTIVE, n=f"{limit - left:g}", limit=limit)

    def _keep_pulse(self, now: float) -> None:
        if not self._request.parameters.session_heartbeat:
            self._pulse = None
            self._alarms.cancel(Alarm.HEARTBEAT)
        elif self._pulse is None:
            self._pulse = Pulse(self.meter.audio_ms, self.meter.session_ms(now))
            self._alarms.set(Alarm.HEARTBEAT, now + INTERVAL_SECONDS)

    def _beat(self, now: float) -> Step:
        self._alarms.set(Alarm.HEARTBEAT, now + INTERVAL_SECONDS)
        return self, [MeasureVoice()]

    # The end.

    def drain(self, event: DrainRequested, now: float) -> Step:
        return self._drain(event.closure, now)

    def _drain(self, ending: Closure, now: float) -> Step:
        return Draining(self._speech, self._audio, self.meter, ending, now), [Finish()]

    _MESSAGES: ClassVar[dict[type, Callable[["Live", Any, float], Step]]] = {
        Terminate: _terminate,
        ForceEndpoint: _force_endpoint,
        KeepAlive: _keep_alive,
        UpdateConfiguration: _update,
    }
    _ALARMS: ClassVar[dict[Alarm, Callable[["Live", float], Step]]] = {
        Alarm.EXPIRY_WARNING: _warn_of_expiry,
        Alarm.EXPIRY: _expire,
        Alarm.INACTIVITY_WARNING: _warn_of_inactivity,
        Alarm.INACTIVITY: _end_inactive,
        Alarm.HEARTBEAT: _beat,
        Alarm.FUNDS: _spend,
    }


class Draining(State):
    """The end is decided; the last words are on their way. The client is not listened to."""

    def __init__(
        self,
        speech: SpeechReporter,
        audio: AudioIntake,
        meter: Meter,
        ending: Closure,
        now: float,
    ) -> None:
        super().__init__(meter)
        self._speech = speech
        self._audio = audio
        self._ending = ending
        ahead = audio.ahead_at(now)
        self._gives_up_at = now + STALLED_DRAIN_SECONDS + ahead
        self._latest = inf if audio.window is not None else now + LONGEST_DRAIN_SECONDS + ahead

    def _get_on(self, now: float) -> None:
        """The engine gets on with the last words, so they are waited for."""
        # Audio that is ahead of time may take as long as it lasts.
        patience = now + STALLED_DRAIN_SECONDS + self._audio.ahead_at(now)
        self._gives_up_at = min(patience, self._latest)

    def deadline(self) -> float | None:
        return self._gives_up_at

    def speech(self, event: SpeechEvent, now: float) -> Step:
        self._get_on(now)
        return self, self._speech.receive(event)

    def heard(self, event: Heard, now: float) -> Step:
        effects = self._audio.heard(event.seconds)
        self._get_on(now)
        return self, effects

    def finished(self, event: Finished, now: float) -> Step:
        last_words = self._speech.receive(event)
        state, effects = self.close(self._ending, now)
        return state, last_words + effects

    def disconnected(self, event: Disconnected, now: float) -> Step:
        # A client that asked for the end may leave without waiting for it.
        if self._ending.row is SESSION_ENDED:
            return self.close(self._ending, now)
        return super().disconnected(event, now)

    def abort(self, event: Abort, now: float) -> Step:
        return self._give_up(event.closure, f"{event.closure.row.name} while it was draining", now)

    def tick(self, _: Tick, now: float) -> Step:
        if now < self._gives_up_at:
            return self, []
        # A client that asked for the end has not had all it was promised.
        complete = self._ending.row is not SESSION_ENDED
        closure = self._ending if complete else SERVER_ERROR.fill()
        cause = "its last words took the engine too long"
        return self._give_up(closure, cause, now)

    def _give_up(self, closure: Closure, cause: str, now: float) -> Step:
        """End without what the engine still has: the words at hand are the last turn."""
        last_words = self._speech.give_up()
        kept = "the words at hand were delivered" if last_words else "no words were at hand"
        state, effects = self.close(closure, now)
        return state, [Log(f"{cause}; {kept}"), *last_words, *effects]


def _check_size(size: int) -> None:
    if size > MESSAGE_BYTES:
        raise Violation(MESSAGE_TOO_LARGE.fill(size=size, limit=MESSAGE_BYTES))
