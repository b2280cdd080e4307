"""One session, from its first event to its one closure.

    effects = session.receive(event, now)

The session decides, its shell carries out: it opens sockets, runs engines and keeps the clock.
Whatever the order of events, these hold:

1. The last effect is `Close`, and there is exactly one; after it nothing happens.
2. `Begin` is the first message. An `Error` is the last, if the closure is announced by one, with
   the same code; `Termination` is the last of a session that the client ended.
3. What was said before the end is delivered before it, unless the client broke the protocol, the
   engine failed, or nobody is left to read it. If the engine takes too long for the last words, or
   fails over them, those it gave before are delivered.

`EVENTS` says which events concern a session in each of its states, and what may follow. A message
or audio that breaks a rule of the protocol closes the session in any state.

`now` is any clock that does not run backwards, in seconds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from turnwire.recognition import Finished, Marked, Partial, Pause, SpeechStarted
from turnwire.session.effects import Effect, Log
from turnwire.session.events import (
    Abort,
    Admitted,
    AudioReceived,
    Connected,
    Decoded,
    Disconnected,
    DrainRequested,
    Event,
    Funded,
    Heard,
    NoRoom,
    TextReceived,
    Tick,
    Undecodable,
    VoiceMeasured,
)
from turnwire.session.options import SessionOptions
from turnwire.session.state import Closed, State, Step
from turnwire.session.states import Admitting, Draining, Live, Opening
from turnwire.wire.closure import Violation


@dataclass(frozen=True, slots=True)
class Transition:
    """What one event does in one state."""

    handler: Callable[[Any, Any, float], Step]
    to: Mapping[type[State], str] = field(default_factory=dict)
    """The states it may lead to, and when, if not always; empty: the state stays."""


_BROKEN_RULE = "it breaks a rule"
_SPENT = "the balance is used up"
_ENDS = {
    Abort: Transition(State.abort, {Closed: ""}),
    Disconnected: Transition(State.disconnected, {Closed: ""}),
}

EVENTS: Mapping[type[State], Mapping[type[Event], Transition]] = {
    Opening: {
        Connected: Transition(Opening.connect, {Admitting: "", Closed: _BROKEN_RULE}),
        DrainRequested: Transition(Opening.drain, {Closed: ""}),
        **_ENDS,
    },
    Admitting: {
        Admitted: Transition(Admitting.begin, {Live: ""}),
        DrainRequested: Transition(Admitting.drain, {Closed: ""}),
        **_ENDS,
    },
    Live: {
        Funded: Transition(Live.funded),
        AudioReceived: Transition(Live.audio, {Draining: _SPENT, Closed: _BROKEN_RULE}),
        Decoded: Transition(Live.decoded, {Draining: _SPENT, Closed: _BROKEN_RULE}),
        Undecodable: Transition(Live.undecodable, {Closed: ""}),
        Heard: Transition(Live.heard),
        NoRoom: Transition(Live.no_room, {Closed: "audio is ahead of time"}),
        TextReceived: Transition(Live.text, {Draining: "it is Terminate", Closed: _BROKEN_RULE}),
        SpeechStarted: Transition(Live.speech),
        Partial: Transition(Live.speech),
        Pause: Transition(Live.speech),
        Marked: Transition(Live.speech),
        VoiceMeasured: Transition(Live.voice_measured),
        Tick: Transition(Live.tick, {Draining: f"the session expires, was inactive, or {_SPENT}"}),
        DrainRequested: Transition(Live.drain, {Draining: ""}),
        **_ENDS,
    },
    Draining: {
        Heard: Transition(Draining.heard),
        SpeechStarted: Transition(Draining.speech),
        Partial: Transition(Draining.speech),
        Pause: Transition(Draining.speech),
        Marked: Transition(Draining.speech),
        Finished: Transition(Draining.finished, {Closed: ""}),
        Tick: Transition(Draining.tick, {Closed: "it takes too long"}),
        **_ENDS,
        Abort: Transition(Draining.abort, {Closed: ""}),
        Disconnected: Transition(Draining.disconnected, {Closed: ""}),
    },
    Closed: {},
}
"""Events that are not listed for a state change nothing there."""


class Session:
    """A session whose id is `id`, served by the model named `model`."""

    def __init__(self, id: str, model: str, options: SessionOptions) -> None:
        self.id = id
        self._state: State = Opening(id, model, options)

    def receive(self, event: Event, now: float) -> list[Effect]:
        """Everything that follows from this event, in order."""
        transition = EVENTS[type(self._state)].get(type(event))
        if transition is None:
            return []
        try:
            self._state, effects = transition.handler(self._state, event, now)
        except Violation as violation:
            self._state, effects = self._state.close(violation.closure, now)
            if violation.cause:
                effects.insert(0, Log(violation.cause))
        return effects

    @property
    def state(self) -> type[State]:
        return type(self._state)

    def deadline(self) -> float | None:
        """When a `Tick` is due; None if nothing is waited for."""
        return self._state.deadline()

    @property
    def audio_ms(self) -> int:
        """How much audio has come."""
        return self._state.meter.audio_ms

    def session_ms(self, now: float) -> int:
        """How long ago the session began; 0 if it did not."""
        return self._state.meter.session_ms(now)
