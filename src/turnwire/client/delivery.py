"""What of the messages of sessions reaches the program, and when.

The end of a turn in the middle of speech is held back a little: if the session ends with it, a
word may have been cut. Another session will hear that turn whole, and this end of it is dropped.
"""

from collections import deque

from turnwire.client import effects
from turnwire.client.closures import Closure
from turnwire.client.errors import raised_for
from turnwire.client.leg import Leg
from turnwire.client.messages import (
    Begin,
    Error,
    ServerMessage,
    SpeechStarted,
    Termination,
    Turn,
)
from turnwire.client.timeline import Timeline

HOLD_SECONDS = 0.25
"""How long the end of a turn in the middle of speech is held back."""


class MessageDelivery:
    """Has the program's handlers called, and the line of time take note of turns."""

    def __init__(self, timeline: Timeline, todo: effects.Effects) -> None:
        self._timeline = timeline
        self._todo = todo
        self._held: deque[tuple[Leg, ServerMessage]] = deque()
        self._held_until = 0.0
        self._last_turn = (-1, 0)  # order and end of the turn that ended last
        self._floor = 0  # the end of the one before it
        self._termination: Termination | None = None
        self._told_gaps = 0

    # What comes in.

    def begin(self, begin: Begin) -> None:
        """A session is heard from here on."""
        self._tell("begin", begin)

    def take(self, leg: Leg, message: ServerMessage, now: float) -> None:
        """Pass a message on, unless it may be the cut end of a session: then hold it back."""
        assert leg.place is not None
        if isinstance(message, Turn):
            placed = self._placed(leg, message)
            if placed is None:
                return
            message, holds = placed, self._timeline.is_cut(placed)
        else:
            message = leg.place.moved(message)
            unasked = isinstance(message, Termination) and not leg.heard_everything
            holds = bool(self._held) and (unasked or isinstance(message, Error))
        if not holds:
            self.release()
            self._pass_on(leg, message)
            return
        if not self._held:
            self._held_until = now + HOLD_SECONDS
        self._held.append((leg, message))

    def _placed(self, leg: Leg, turn: Turn) -> Turn | None:
        """The turn on the one line of time; None if it has been delivered, or is too late."""
        assert leg.place is not None
        order = leg.place.order_of(turn)
        order = self._timeline.next_order if order is None else order
        floor = self._floor if order <= self._last_turn[0] else self._last_turn[1]
        placed = leg.place.moved_turn(turn, order=order, floor=floor)
        if self._timeline.is_repeated(placed):
            self._timeline.came_late(leg.place.moved_turn(turn, order=order, floor=0))
            return None
        return None if self._is_overtaken(placed) else placed

    def _is_overtaken(self, turn: Turn) -> bool:
        """Whether the end of this turn is held back: what comes of it now comes late."""
        held = (each.turn_order for _, each in self._held if isinstance(each, Turn))
        return not turn.end_of_turn and turn.turn_order <= max(held, default=-1)

    # What is held back.

    def deadline(self) -> float | None:
        """When what is held back is due; None: it is not, or there is nothing."""
        return self._held_until if self._goes_on else None

    @property
    def _goes_on(self) -> bool:
        """Whether the session goes on, so that what is held back may not have been cut."""
        return bool(self._held) and self._held[0][0].is_open

    def go_on(self, now: float) -> None:
        """Pass on what was held back for long enough."""
        if self._goes_on and now >= self._held_until:
            self.release()

    def release(self) -> None:
        """Pass on what was held back."""
        while self._held:
            self._pass_on(*self._held.popleft())

    def drop_cut(self) -> None:
        """Another session will hear whole what was cut."""
        self._held = deque(each for each in self._held if not isinstance(each[1], Turn))
        self.release()

    @property
    def held_until_ms(self) -> int:
        """Up to where what is held back reaches, in ms of the stream; 0: nothing is."""
        turns = (each for _, each in self._held if isinstance(each, Turn))
        return max((turn.words[-1].end for turn in turns), default=0)

    # What goes on to the program.

    def _pass_on(self, leg: Leg, message: ServerMessage) -> None:
        match message:
            case Turn() if self._timeline.is_repeated(message):
                pass  # It came twice while it was held back.
            case Turn():
                sent = 0 if leg.cursor is None else leg.cursor.position
                self._timeline.hear(message, sent=sent)
                self.tell_gaps()
                if message.end_of_turn and message.words:
                    self._note_end(message.turn_order, message.words[-1].end)
                self._tell("turn", message)
            case SpeechStarted():
                self._tell("speech_started", message)
            case Termination():
                self._termination = message
                self._todo.call("event", message)
            case _:
                self._todo.call("event", message)

    def tell_gaps(self) -> None:
        """Tell of the gaps that have come up."""
        for gap in self._timeline.gaps[self._told_gaps :]:
            self._todo.call("gap", gap.start, gap.end, gap.reason)
        self._told_gaps = len(self._timeline.gaps)

    def end(self, closure: Closure) -> None:
        """The stream is over: each of its handlers for that is called once, in order."""
        if closure.terminated and self._termination is not None:
            self._todo.call("termination", self._termination)
        if closure.is_error:
            self._todo.call("error", raised_for(closure))
        self._todo.call("close", closure)

    def _tell(self, name: str, message: ServerMessage) -> None:
        self._todo.call("event", message)
        self._todo.call(name, message)

    def _note_end(self, order: int, end: int) -> None:
        last, last_end = self._last_turn
        if order > last:
            self._floor = last_end
        self._last_turn = (max(order, last), max(end, last_end))
