"""The open sessions of this server, as an observer sees them: no word of what was said."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from turnwire.admin.views import Live, LiveSession
from turnwire.clock import Clock
from turnwire.recognition import Finished, Marked, Partial, Pause
from turnwire.server.observers import WatchedSession
from turnwire.session import effects, events
from turnwire.wire.messages import Begin, Turn

ARRIVAL_SECONDS = 0.1
"""How exactly it is known when audio came, and"""
ARRIVALS = 100
"""of how much of it, in these."""

LONGEST_CLIENT = 200


class LiveSessions:
    """All that have begun and not ended, in the order they began."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watched: dict[str, _Watched] = {}

    def watch(self, session: WatchedSession) -> "_Watched":
        return _Watched(session, self._clock, self._watched)

    def view(self) -> Live:
        return Live(items=[watched.view() for watched in self._watched.values()])


class _Watched:
    """Watches one session."""

    def __init__(self, session: WatchedSession, clock: Clock, begun: "dict[str, _Watched]") -> None:
        self._session = session
        self._clock = clock
        self._begun = begun
        self._begun_at = 0.0
        self._expires_at: float | None = None
        self._model = ""
        self._heard_ms = 0
        self._turns = 0
        self._partial_ms: int | None = None
        self._arrivals: deque[tuple[int, float]] = deque(maxlen=ARRIVALS)

    def observe(self, event: events.Event, effects: Sequence[effects.Effect], now: float) -> None:
        if (note := self._EVENTS.get(type(event))) is not None:
            note(self, event, now)
        for effect in effects:
            if (note := self._EFFECTS.get(type(effect))) is not None:
                note(self, effect, now)

    def view(self) -> LiveSession:
        request, grant = self._session.request, self._session.grant
        audio_ms = self._session.usage().audio_ms
        return LiveSession(
            id=self._session.id,
            account=grant.account if grant else None,
            key_id=grant.key_id if grant else None,
            address=request.address,
            client=(request.header("user-agent") or "")[:LONGEST_CLIENT],
            model=self._model,
            begun_at=self._begun_at,
            expires_at=self._expires_at,
            audio_seconds=audio_ms / 1000,
            lag_ms=max(audio_ms - self._heard_ms, 0),
            partial_ms=self._partial_ms,
            turns=self._turns,
        )

    def _came(self, _: events.AudioReceived, now: float) -> None:
        if not self._arrivals or now - self._arrivals[-1][1] >= ARRIVAL_SECONDS:
            self._arrivals.append((self._session.usage().audio_ms, now))

    def _heard(self, until_ms: int) -> None:
        self._heard_ms = max(self._heard_ms, until_ms)

    def _sent(self, effect: effects.Send, now: float) -> None:
        match effect.message:
            case Begin() as begin:
                self._begun_at = self._clock.unix_time()
                self._expires_at = begin.expires_at
                self._model = begin.configuration.model if begin.configuration else ""
                self._begun[self._session.id] = self
            case Turn() as turn:
                self._turns = turn.turn_order + turn.end_of_turn
                if not turn.end_of_turn and turn.words:
                    self._partial_ms = self._since(turn.words[-1].end, now)

    def _since(self, audio_ms: int, now: float) -> int | None:
        """How long ago that audio came, in ms; None if that was too long ago to know."""
        came = next((at for reached, at in self._arrivals if reached >= audio_ms), None)
        return None if came is None else round(1000 * (now - came))

    def _closed(self, _: effects.Close, now: float) -> None:
        self._begun.pop(self._session.id, None)

    _EVENTS: ClassVar[dict[type, Callable[["_Watched", Any, float], None]]] = {
        events.AudioReceived: _came,
        Partial: lambda self, it, _: self._heard(it.words[-1].end if it.words else 0),
        Pause: lambda self, it, _: self._heard(it.until),
        Marked: lambda self, it, _: self._heard(it.at),
        Finished: lambda self, it, _: self._heard(it.at),
    }
    _EFFECTS: ClassVar[dict[type, Callable[["_Watched", Any, float], None]]] = {
        effects.Send: _sent,
        effects.Close: _closed,
    }
