"""A client's stream: one line of audio and one of turns, over as many sessions as it takes.

`ClientStream.receive(event, now) -> effects` and `deadline()`: no asyncio, no sockets, no clock.

A session is a *leg* of the stream (`leg`). The legs stand in order (`legs`): the first is the one
that is heard (`delivery`), the last the one that is fed (`sending`). Before a session expires the
next one stands by, and takes over at a silence (`rollover`). A leg that breaks is followed by one
that begins where the turns that were delivered end (`reconnect`). What is neither covered by a
final turn nor can be sent again is reported as a gap: there is no third (`timeline`).
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from turnwire.client import effects, events
from turnwire.client.audio import AudioFormat
from turnwire.client.closures import ClosedBy, Closure
from turnwire.client.delivery import MessageDelivery
from turnwire.client.filling import Filling
from turnwire.client.leg import Leg
from turnwire.client.legs import Legs
from turnwire.client.messages import Begin
from turnwire.client.pace import Pace
from turnwire.client.placing import LegPlace
from turnwire.client.reconnect import Budget, Retries, Retry
from turnwire.client.recording import Recording
from turnwire.client.rollover import Rollover
from turnwire.client.rows import CLOSED_HERE, NO_TERMINATION
from turnwire.client.sending import Sending
from turnwire.client.timeline import Timeline

RECORDED_AHEAD_SECONDS = 2.0
"""How much of a recording waits to be sent; whoever reads it can wait for the rest."""


@dataclass(slots=True)
class SessionRecord:
    """One session of a client."""

    begin: Begin
    start_ms: int
    """Where its audio begins on the line of the client's audio."""
    closure: Closure | None = None
    """None while it lasts."""


class ClientStream:
    """The stream of one client, from its first session to its closure."""

    def __init__(
        self,
        *,
        address: str,
        parameters: Mapping[str, object],
        recording: Recording,
        budget: Budget,
        renews: bool = True,
        fill_silence: bool = False,
    ) -> None:
        """`address` is for texts. `renews` is whether there may be more than one session."""
        self.parameters = dict(parameters)
        self.format = AudioFormat.of(parameters)
        self.records: list[SessionRecord] = []
        self.closure: Closure | None = None
        """How the stream ended; None until it has."""
        self.timeline = Timeline(self.format, recording)
        self.timeline.wants_formatted = self.parameters.get("format_turns") is True
        self.legs = Legs()
        self._address = address
        self._renews = renews
        self._todo = effects.Effects()
        self._retries = Retries(budget)
        self._rollover = Rollover(self.legs, self.timeline, self._todo, self._opened)
        self._sending = Sending(self.timeline, self.parameters, self._todo)
        self._delivery = MessageDelivery(self.timeline, self._todo)
        self._filling = Filling(self.format) if fill_silence else None
        self._number = 0
        self._abandoned = False
        self._now = 0.0

    # What the shell asks.

    def receive(self, event: events.Event, now: float) -> list[effects.Effect]:
        """Everything that follows from this event, in order."""
        self._now = now
        if self.closure is None:
            self._HANDLERS[type(event)](self, event, now)
            self._go_on(now)
        return self._todo.take()

    def deadline(self) -> float | None:
        """When a `Tick` is due; None if nothing is waited for."""
        return None if self.closure is not None else min(self._deadlines(), default=None)

    @property
    def begun(self) -> Begin | None:
        """The first session's Begin."""
        return self.records[0].begin if self.records else None

    @property
    def is_full(self) -> bool:
        """Whether the program has to wait before it gives more audio."""
        most = self.timeline.recording.capacity
        if self._is_recording:
            most = min(most, self.format.size(RECORDED_AHEAD_SECONDS))
        return self.closure is None and self.timeline.is_full(self._sent, most)

    @property
    def takes_recordings(self) -> bool:
        """Whether the last session that began takes a recording as fast as it is heard."""
        if not self._is_recording or not self.records:
            return False
        return self.records[-1].begin.recording_window_ms > 0

    @property
    def _is_recording(self) -> bool:
        return self.parameters.get("recording") is True

    @property
    def _sent(self) -> int | None:
        """How far every session has been sent the audio; None: one is missing."""
        return None if self._retries.pending is not None else self.legs.sent

    # Events.

    def _started(self, event: events.Started, now: float) -> None:
        self.legs.in_order.append(self._opened(now))

    def _audio_given(self, event: events.AudioGiven, now: float) -> None:
        self._append(event.audio, now, rereadable=event.rereadable)

    def _append(self, audio: bytes, now: float, *, rereadable: bool = False) -> None:
        if self._filling is not None:
            self._filling.given(audio, now)
        self.timeline.append(audio, sent=self._sent, rereadable=rereadable)

    def _message_given(self, event: events.MessageGiven, now: float) -> None:
        self.timeline.mark(event.text, forces=event.forces)

    def update(self, changes: Mapping[str, object], now: float) -> list[effects.Effect]:
        """Change parameters from here on, in later sessions too."""
        self.parameters |= changes
        self.timeline.wants_formatted = self.parameters.get("format_turns") is True
        text = json.dumps({"type": "UpdateConfiguration", **changes})
        return self.receive(events.MessageGiven(text), now)

    def _keep_alive_given(self, event: events.KeepAliveGiven, now: float) -> None:
        if self.legs.fed is not None:
            self._sending.keep_alive(self.legs.fed, now)

    def _finished(self, event: events.Finished, now: float) -> None:
        self.timeline.finished = True

    def _abandon(self, event: events.Abandoned, now: float) -> None:
        self._abandoned = self._sending.stopped = True
        self._retries.pending = None
        for leg in self.legs:
            self._todo.add(_goodbye(leg))
        self.legs.in_order = [leg for leg in self.legs if leg.begin is not None]
        self.legs.standby = None
        if not self.legs.in_order:
            self._finish(self._last_closure)

    def _of_leg(self, event: events.LegEvent, now: float) -> None:
        leg = {each.number: each for each in self.legs}.get(event.leg)
        if leg is None or leg.closure is not None:
            return
        match event:
            case events.Opened():
                leg.opened(now, event.unix_time)
            case events.OpenFailed():
                leg.closure = event.closure
            case events.Received():
                leg.received(event.frame, now)
                if leg.closure is not None:
                    self._todo.add(effects.Drop(leg.number))
            case events.Sent():
                leg.busy = False
            case events.Ponged():
                leg.ponged(now)
            case events.Disconnected():
                leg.disconnected(event, now)
            case events.AudioReread():
                self._sending.reread(leg, event.audio, now)

    def _tick(self, event: events.Tick, now: float) -> None:
        # Nothing else holds it against a server that nothing came: whoever ticks is patient where
        # it was late itself.
        for leg in self.legs:
            if leg.overdue(now):
                self._todo.add(effects.Drop(leg.number))

    # What follows.

    def _go_on(self, now: float) -> None:
        if (retry := self._retries.due(now)) is not None:
            self.legs.in_order.insert(0, self._retried(retry, now))
        self._hear(now)
        self._delivery.tell_gaps()
        if self.closure is None:
            self._rollover.go_on(now)
            self._fill(now)
            for leg in self.legs:
                self._sending.go_on(leg, now)

    def _deadlines(self) -> Iterator[float]:
        for leg in self.legs:
            if (due := leg.deadline()) is not None:
                yield due
            yield from self._sending.deadlines(leg, self._now)
        if self._retries.pending is not None:
            yield self._retries.pending.at
        others = (self._delivery.deadline(), self._rollover.deadline(), self._fill_due)
        yield from (due for due in others if due is not None)

    @property
    def _fill_due(self) -> float | None:
        if self._filling is None or self.timeline.finished:
            return None
        return None if self.legs.fed is None or self.is_full else self._filling.due()

    def _fill(self, now: float) -> None:
        """Silence in place of what the source does not give."""
        leg, filling = self.legs.fed, self._filling
        if leg is None or filling is None:
            return
        filling.starts(now)
        due = self._fill_due
        if due is not None and now >= due and leg.cursor is not None:
            self._append(leg.cursor.silence(filling.missing(now)), now)

    # Sessions come and go.

    def _opened(self, now: float, *, end: int | None = None) -> Leg:
        """A leg that is being opened."""
        self._number += 1
        leg = Leg(
            self._number,
            format=self.format,
            address=self._address,
            now=now,
            end=end,
            recording=self._is_recording,
        )
        leg.pace = Pace(strict=self._retries.strict)
        self._todo.add(effects.Open(leg.number, dict(self.parameters)))
        return leg

    def _retried(self, retry: Retry, now: float) -> Leg:
        leg = self._opened(now, end=retry.end)
        leg.is_second_hearing = retry.is_second_hearing
        return leg

    def _is_heard(self, leg: Leg, now: float) -> None:
        """The leg's messages are the next on the line."""
        assert leg.begin is not None
        if leg.cursor is None:
            self._delivery.drop_cut()
            leg.take_part(self.timeline, self.timeline.resume(), now)
            if leg.end is None and self._renews:
                self._rollover.plan(leg, now)
        assert leg.cursor is not None
        start = self.timeline.ms(leg.cursor.start)
        leg.place = LegPlace(start, self.timeline.next_order)
        self.records.append(SessionRecord(leg.begin, start))
        self._delivery.begin(leg.begin)

    def _hear(self, now: float) -> None:
        """Pass on what the first leg says, and the legs after it once it is over."""
        self._delivery.go_on(now)
        while self.legs.in_order and self.closure is None:
            leg = self.legs.in_order[0]
            if leg.begin is not None and leg.place is None and not self._abandoned:
                self._is_heard(leg, now)
            while leg.waiting and leg.place is not None:
                self._delivery.take(leg, leg.waiting.popleft(), now)
            if leg.passed_over:
                self._todo.log("Passed over a message that is not of this protocol.")
                leg.passed_over = 0
            if leg.closure is None:
                return
            self.legs.in_order.pop(0)
            self._over(leg, leg.closure, now)

    def _over(self, leg: Leg, closure: Closure, now: float) -> None:
        """The leg that was heard has ended: what follows it?"""
        if leg.place is not None:
            self.records[-1].closure = closure
            if not leg.stalled:
                self._retries.budget.lasted(closure.session_seconds)
        done = self._says_all(leg)
        if closure.terminated and (leg.heard_everything or done):
            self._delivery.release()
            self.timeline.settle()
            self.timeline.cover(self.timeline.end if leg.end is None else leg.end)
            if not self.legs.in_order:
                self._finish(closure)
            return
        hopeless = closure.row is NO_TERMINATION and done and leg.end is None
        if self._abandoned or hopeless or not self.records:
            self._finish(closure)
        else:
            self._reconnect(leg, closure, now)

    def _says_all(self, leg: Leg) -> bool:
        """Whether its turns, with what is held back, leave no words of its part uncovered."""
        end = leg.end
        if end is None and self.timeline.finished:
            end = self.timeline.end
        said = self.format.size(self._delivery.held_until_ms / 1000)
        return end is not None and not self.timeline.has_words(said, end)

    def _reconnect(self, leg: Leg, closure: Closure, now: float) -> None:
        """Have another session hear what this one did not, if there may be one."""
        delay = self._retries.delay(closure)
        is_second_hearing = closure.terminated and leg.terminate_sent
        if delay is None:
            self._finish(closure)
        elif (standby := self.legs.standby) is not None:
            standby.is_second_hearing = is_second_hearing
            self.legs.in_order.insert(0, standby)
            self.legs.standby = None
        else:
            self._retries.pending = Retry(now + delay, leg.end, is_second_hearing)
            level = logging.WARNING if self._retries.budget.is_first else logging.INFO
            self._todo.log(f"{closure}; connecting again in {delay:.2f} s", level)

    @property
    def _last_closure(self) -> Closure:
        closures = [record.closure for record in self.records if record.closure is not None]
        row = CLOSED_HERE
        here = Closure(row=row, code=row.code, text=row.template, by=ClosedBy.CLIENT)
        return closures[-1] if closures else here

    def _finish(self, closure: Closure) -> None:
        """The stream is over."""
        self._delivery.release()
        self.timeline.settle()
        self.timeline.give_up(self.timeline.end, closure.text or closure.name)
        self._delivery.tell_gaps()
        ended_with_it = bool(self.records) and self.records[-1].closure is closure
        self.closure = closure = replace(closure, gaps=tuple(self.timeline.gaps))
        if ended_with_it:
            self.records[-1].closure = closure
        for leg in self.legs:
            if leg.closure is None:
                self._todo.add(_goodbye(leg))
        self._delivery.end(closure)

    _HANDLERS: ClassVar[dict[type, Callable[..., None]]] = {
        events.Started: _started,
        events.AudioGiven: _audio_given,
        events.MessageGiven: _message_given,
        events.KeepAliveGiven: _keep_alive_given,
        events.Finished: _finished,
        events.Abandoned: _abandon,
        events.Tick: _tick,
        **dict.fromkeys(
            (
                events.Opened,
                events.OpenFailed,
                events.Received,
                events.Sent,
                events.Ponged,
                events.Disconnected,
                events.AudioReread,
            ),
            _of_leg,
        ),
    }


def _goodbye(leg: Leg) -> effects.Effect:
    return effects.Drop(leg.number) if leg.begin is None else effects.Close(leg.number)
