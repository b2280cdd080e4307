"""What all states of a session have in common, and the last of them."""

from turnwire.session.effects import Close, Effect, Send
from turnwire.session.events import Abort, Disconnected, DrainRequested
from turnwire.session.meter import Meter
from turnwire.wire.closure import Closure, Kind
from turnwire.wire.closures import CLIENT_GONE, SESSION_ENDED
from turnwire.wire.messages import Error, Termination


class State:
    """What all states have in common."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter

    def deadline(self) -> float | None:
        """When a `Tick` is due; None if nothing is waited for."""
        return None

    def abort(self, event: Abort, now: float) -> "Step":
        return self.close(event.closure, now)

    def disconnected(self, _: Disconnected, now: float) -> "Step":
        return self.close(CLIENT_GONE.fill(), now)

    def close(self, closure: Closure, now: float) -> "Step":
        return Closed(self.meter), [*self._last_message(closure, now), Close(closure)]

    def _last_message(self, closure: Closure, now: float) -> list[Effect]:
        if closure.row is SESSION_ENDED:
            return [
                Send(
                    Termination(
                        audio_duration_seconds=round(self.meter.audio_ms / 1000),
                        session_duration_seconds=round(self.meter.session_ms(now) / 1000),
                    )
                )
            ]
        return [] if closure.row.kind is Kind.NORMAL else [Send(Error.of(closure))]


Step = tuple[State, list[Effect]]
"""The state that follows from an event, and what is to be done."""


class Unopened(State):
    """The base of the states before Begin: nothing was said that could be delivered."""

    def drain(self, event: DrainRequested, now: float) -> Step:
        return self.close(event.closure, now)


class Closed(State):
    """Nothing happens any more."""
