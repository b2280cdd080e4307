"""What is counted of sessions, by watching them."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, ClassVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from turnwire.server.observers import WatchedSession
from turnwire.session import effects, events
from turnwire.wire.closure import Closure, Kind, Phase
from turnwire.wire.closures import CLOSURES
from turnwire.wire.messages import Begin, Turn

AHEAD_MS = 2000
"""A session whose audio is further ahead of real time than this says nothing about latency."""

LATENCIES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
ADMISSIONS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)

AFTER_THE_WORD = (
    "from the end of the last word in the message, as the audio came, until the message was made; "
    "recordings and sessions with audio ahead of real time do not count."
)


class SessionState(StrEnum):
    """Where a session stands."""

    OPENING = "opening"
    """It is not admitted yet."""
    OPEN = "open"
    DRAINING = "draining"
    """No more audio is taken; the last words are being delivered."""


def _rows(phase: Phase) -> Iterator[str]:
    """The rows that can end a connection in this phase."""
    for row in CLOSURES:
        if row.kind is not Kind.HTTP and row.phase in (phase, Phase.ANY):
            yield row.name


class SessionMetrics(Collector):
    """The metrics of one server's sessions, in a registry of its own."""

    def __init__(self, registry: CollectorRegistry, *, accounts: bool) -> None:
        """With `accounts` some are told for each account, by its name."""
        self._accounts = accounts
        self._live: set[SessionWatch] = set()
        self._ended_audio_ms: Tally[str] = Tally()  # by account
        by_state = Gauge(
            "turnwire_sessions",
            "Connections by state: opening (not admitted yet), open, draining (last words).",
            ["state"],
            registry=registry,
        )
        self.states = {state: by_state.labels(state) for state in SessionState}
        self._ended = Counter(
            "turnwire_sessions_ended",
            "Sessions that ended after Begin, by row of the closure table.",
            ["closure"],
            registry=registry,
        )
        self._refused = Counter(
            "turnwire_sessions_refused",
            "Connections that ended before Begin, by row of the closure table.",
            ["closure"],
            registry=registry,
        )
        # A series that begins with its first failure hides that one from rate().
        for counter, phase in ((self._ended, Phase.SESSION), (self._refused, Phase.OPENING)):
            for name in _rows(phase):
                counter.labels(name)
        self.admission = Histogram(
            "turnwire_admission_seconds",
            "Until the accounts had said that a client may begin.",
            buckets=ADMISSIONS,
            registry=registry,
        )
        self.turn_latency = Histogram(
            "turnwire_turn_latency_seconds",
            f"Final texts: {AFTER_THE_WORD} The silence that ends a turn is part of it.",
            buckets=LATENCIES,
            registry=registry,
        )
        self.partial_latency = Histogram(
            "turnwire_partial_latency_seconds",
            f"Partial texts: {AFTER_THE_WORD}",
            buckets=LATENCIES,
            registry=registry,
        )
        registry.register(self)

    def watch(self, session: WatchedSession) -> "SessionWatch":
        watch = SessionWatch(self, session)
        self._live.add(watch)
        return watch

    def left(self, watch: "SessionWatch", closure: Closure, *, began: bool) -> None:
        """A session has ended."""
        counter = self._ended if began else self._refused
        counter.labels(closure.row.name).inc()
        self._live.discard(watch)
        self._ended_audio_ms[watch.account] += watch.audio_ms

    def collect(self) -> Iterable[Metric]:
        """What is summed up when it is asked for, so that audio costs nothing as it comes."""
        audio_ms = self._ended_audio_ms.copy()
        for watch in self._live:
            audio_ms[watch.account] += watch.audio_ms
        yield CounterMetricFamily(
            "turnwire_audio_seconds", "Audio received.", value=audio_ms.total() / 1000
        )
        if self._accounts:
            yield from self._collect_accounts(audio_ms)

    def _collect_accounts(self, audio_ms: Tally[str]) -> Iterable[Metric]:
        audio = CounterMetricFamily(
            "turnwire_account_audio_seconds", "Audio received.", labels=["account"]
        )
        sessions = GaugeMetricFamily(
            "turnwire_account_sessions", "Sessions that have begun.", labels=["account"]
        )
        open_ = Tally(watch.account for watch in self._live)
        for account in sorted(filter(None, audio_ms)):
            audio.add_metric([account], audio_ms[account] / 1000)
            sessions.add_metric([account], open_[account])
        return audio, sessions


class SessionWatch:
    """Observes one session. It looks at an event's type and at those of what followed."""

    __slots__ = (
        "_asked_at",
        "_audio_at",
        "_is_recording",
        "_metrics",
        "_session",
        "_state",
        "_turn",
    )

    def __init__(self, metrics: SessionMetrics, session: WatchedSession) -> None:
        self._metrics = metrics
        self._session = session
        self._audio_at = 0.0
        """When the newest audio came."""
        self._asked_at = 0.0
        self._is_recording = False
        """Nobody waits for the words of one, and it may be heard slower than it was spoken."""
        self._turn: int | None = None
        """The newest turn that ended."""
        self._state = SessionState.OPENING
        metrics.states[SessionState.OPENING].inc()

    @property
    def account(self) -> str:
        """Its name; empty as long as there is none."""
        grant = self._session.grant
        return (grant and grant.account) or ""

    @property
    def audio_ms(self) -> int:
        return self._session.usage().audio_ms

    def observe(self, event: events.Event, decided: Sequence[effects.Effect], now: float) -> None:
        if type(event) is events.AudioReceived:
            self._audio_at = now
        for effect in decided:
            handler = self._HANDLERS.get(type(effect))
            if handler is not None:
                handler(self, effect, now)

    def _enter(self, state: SessionState) -> None:
        self._metrics.states[self._state].dec()
        self._metrics.states[state].inc()
        self._state = state

    def _admit(self, effect: effects.Admit, now: float) -> None:
        self._asked_at = now
        self._is_recording = effect.recording

    def _send(self, effect: effects.Send, now: float) -> None:
        if isinstance(effect.message, Turn):
            self._note_turn(effect.message, now)
        elif isinstance(effect.message, Begin):
            self._metrics.admission.observe(now - self._asked_at)
            self._enter(SessionState.OPEN)

    def _note_turn(self, turn: Turn, now: float) -> None:
        if self._is_recording:
            return
        if turn.turn_order == self._turn or not turn.words:
            return  # The same turn once more, formatted.
        if turn.end_of_turn:
            self._turn = turn.turn_order
        used = self._session.usage()
        if used.audio_ms > used.session_ms + AHEAD_MS:
            return
        behind = max(used.audio_ms - turn.words[-1].end, 0) / 1000
        latency = self._metrics.turn_latency if turn.end_of_turn else self._metrics.partial_latency
        latency.observe(behind + now - self._audio_at)

    def _finish(self, _: effects.Finish, now: float) -> None:
        self._enter(SessionState.DRAINING)

    def _close(self, effect: effects.Close, now: float) -> None:
        self._metrics.states[self._state].dec()
        self._metrics.left(self, effect.closure, began=self._state is not SessionState.OPENING)

    _HANDLERS: ClassVar[dict[type, Callable[["SessionWatch", Any, float], None]]] = {
        effects.Admit: _admit,
        effects.Send: _send,
        effects.Finish: _finish,
        effects.Close: _close,
    }
