"""A span for each session, by watching it; no word of what was said, and no key."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from opentelemetry.trace import Span, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from turnwire.clock import Clock
from turnwire.server.observers import WatchedSession
from turnwire.session import effects, events
from turnwire.wire.closure import Kind
from turnwire.wire.messages import Begin, Turn

LONGEST_AGENT = 200

_CONTEXT = TraceContextTextMapPropagator()


class SessionSpan:
    """Observes one session. Its span is part of the trace that the client's `traceparent` names."""

    def __init__(self, session: WatchedSession, tracer: Tracer, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._turns = 0
        request = session.request
        parent = {"traceparent": request.header("traceparent") or ""}
        self._span: Span = tracer.start_span(
            "session",
            context=_CONTEXT.extract(parent),
            start_time=self._now(),
            attributes={
                "turnwire.session": session.id,
                "client.address": request.address,
                "user_agent.original": (request.header("user-agent") or "")[:LONGEST_AGENT],
            },
        )

    def observe(self, event: events.Event, decided: Sequence[effects.Effect], now: float) -> None:
        for effect in decided:
            handler = self._HANDLERS.get(type(effect))
            if handler is not None:
                handler(self, effect)

    def _now(self) -> int:
        """Nanoseconds of Unix time."""
        return int(self._clock.unix_time() * 1e9)

    def _event(self, name: str, **attributes: int) -> None:
        self._span.add_event(name, attributes, self._now())

    def _send(self, effect: effects.Send) -> None:
        message = effect.message
        if isinstance(message, Begin):
            self._event("begin")
            if message.configuration is not None:
                self._span.set_attribute("turnwire.model", message.configuration.model)
        elif isinstance(message, Turn) and message.end_of_turn:
            self._end_turn(message.turn_order)

    def _end_turn(self, order: int) -> None:
        """A turn that is formatted ends a second time, which is no event."""
        if order >= self._turns:
            self._turns = order + 1
            self._event("turn", **{"turnwire.turn": order})

    def _finish(self, _: effects.Finish) -> None:
        self._event("draining")

    def _close(self, effect: effects.Close) -> None:
        row, usage = effect.closure.row, self._session.usage()
        self._span.set_attributes(
            {
                "turnwire.closure": row.name,
                "turnwire.code": row.code,
                "turnwire.audio_seconds": usage.audio_ms / 1000,
                "turnwire.turns": self._turns,
            }
        )
        if row.kind is Kind.ERROR:
            self._span.set_status(StatusCode.ERROR, row.name)
        self._span.end(self._now())

    _HANDLERS: ClassVar[dict[type, Callable[["SessionSpan", Any], None]]] = {
        effects.Send: _send,
        effects.Finish: _finish,
        effects.Close: _close,
    }
