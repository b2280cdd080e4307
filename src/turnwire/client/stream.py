"""A client's stream: one line of audio and one of turns, over as many sessions as it takes.

`ClientStream.receive(event, now) -> effects` and `deadline()`: no asyncio, no sockets, no clock.

A session is a *leg* of the stream. The legs stand in order: the first is the one that is heard,
the last the one that is fed; most of the time that is the same one. Before a session expires the
next one stands by, and takes over at a silence. A leg that breaks is followed by one that begins
where the turns that were delivered end. What is neither covered by a final turn nor can be sent
again is reported as a gap: there is no third.
"""

import json
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from turnwire.client import effects, events
from turnwire.client.audio import AudioFormat
from turnwire.client.closures import CLOSED_HERE, NO_TERMINATION, ClosedBy, Closure
from turnwire.client.cursor import Cursor, Done, Missing
from turnwire.client.errors import raised_for
from turnwire.client.legs import KEEP_ALIVE_SECONDS, Leg
from turnwire.client.messages import (
    Begin,
    Error,
    ServerMessage,
    SpeechStarted,
    Termination,
    Turn,
)
from turnwire.client.pacing import Pace
from turnwire.client.placing import Place
from turnwire.client.reconnect import Budget
from turnwire.client.recording import Recording
from turnwire.client.rollover import Rollover
from turnwire.client.timeline import Timeline
from turnwire.wire.closures import SESSION_ENDED, TRANSMISSION_RATE

HOLD_SECONDS = 0.25
"""How long the end of a turn in the middle of speech is held back. If the session ends with it, a
word may have been cut: another session will hear that turn whole, and this end of it is dropped."""

FILL_SECONDS = 0.3
"""How long a source may pause before silence is sent in its place, if that is asked for."""

SILENCE_AFTER_SECONDS = 2.0
"""What is heard a second time is followed by silence, so that figures in whole seconds tell whether
all of it was."""

NOT_REREAD = "it could not be read from the file again"

TERMINATE = '{"type":"Terminate"}'
KEEP_ALIVE = '{"type":"KeepAlive"}'
FORCE_ENDPOINT = '{"type":"ForceEndpoint"}'


@dataclass(slots=True)
class SessionRecord:
    """One session of a client."""

    begin: Begin
    start_ms: int
    """Where its audio begins on the line of the client's audio."""
    closure: Closure | None = None
    """None while it lasts."""


@dataclass(frozen=True, slots=True)
class _Retry:
    """Another session that is to take the place of one that broke."""

    at: float
    end: int | None
    """Where its part of the stream ends, if that is known."""
    is_second_hearing: bool


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
        self._address = address
        self._budget = budget
        self._renews = renews
        self._fills = fill_silence
        self._effects: list[effects.Effect] = []
        self._number = 0
        self._legs: list[Leg] = []
        self._standby: Leg | None = None
        self._retry: _Retry | None = None
        self._held: deque[tuple[Leg, ServerMessage]] = deque()
        self._held_until = 0.0
        self._last_turn = (-1, 0)  # order and end of the turn that ended last
        self._floor = 0  # the end of the one before it
        self._termination: Termination | None = None
        self._told_gaps = 0
        self._strict = False
        self._abandoned = False
        self._now = 0.0
        self._audio_until: float | None = None  # when what the source gave would have been spoken

    # What the shell asks.

    def receive(self, event: events.Event, now: float) -> list[effects.Effect]:
        """Everything that follows from this event, in order."""
        self._effects = []
        self._now = now
        if self.closure is None:
            self._HANDLERS[type(event)](self, event, now)
            self._go_on(now)
        return self._effects

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
        return self.closure is None and self.timeline.is_full(self._sent)

    @property
    def _sent(self) -> int | None:
        """How far every session has been sent the audio; None: one is missing."""
        if self._retry is not None or not self._legs:
            return None
        positions = [None if leg.cursor is None else leg.cursor.position for leg in self._legs]
        known = [position for position in positions if position is not None]
        return min(known) if len(known) == len(positions) else None

    # Events.

    def _started(self, event: events.Started, now: float) -> None:
        self._legs.append(self._open(now))

    def _audio_given(self, event: events.AudioGiven, now: float) -> None:
        self._append(event.audio, now, rereadable=event.rereadable)

    def _append(self, audio: bytes, now: float, *, rereadable: bool = False) -> None:
        seconds = self.format.seconds(len(audio))
        until = now if self._audio_until is None else self._audio_until
        self._audio_until = max(until, now - seconds) + seconds
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
        leg = self._fed
        if leg is not None and not leg.busy:
            self._send(leg, KEEP_ALIVE, now)

    def _finished(self, event: events.Finished, now: float) -> None:
        self.timeline.finished = True

    def _abandon(self, event: events.Abandoned, now: float) -> None:
        self._abandoned = True
        self._retry = None
        for leg in self._everywhere():
            self._effects.append(_goodbye(leg))
        self._legs = [leg for leg in self._everywhere() if leg.begin is not None]
        self._standby = None
        if not self._legs:
            self._finish(self._last_closure)

    def _of_leg(self, event: events.LegEvent, now: float) -> None:
        legs = {each.number: each for each in self._everywhere()}
        leg = legs.get(event.leg)
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
                    self._effects.append(_drop(leg))
            case events.Sent():
                leg.busy = False
            case events.Ponged():
                leg.ponged(now)
            case events.Disconnected():
                leg.disconnected(event, now)
            case events.AudioReread():
                self._reread(leg, event.audio, now)

    def _tick(self, event: events.Tick, now: float) -> None:
        pass

    # What follows.

    def _go_on(self, now: float) -> None:
        for leg in self._everywhere():
            if leg.overdue(now):
                self._effects.append(_drop(leg))
        if self._retry is not None and now >= self._retry.at:
            leg = self._open(now, end=self._retry.end)
            leg.is_second_hearing = self._retry.is_second_hearing
            self._legs.insert(0, leg)
            self._retry = None
        self._hear(now)
        self._tell_gaps()
        if self.closure is None:
            self._roll_over(now)
            self._fill(now)
            for leg in self._everywhere():
                self._feed(leg, now)

    def _deadlines(self) -> Iterator[float]:
        for leg in self._everywhere():
            if (due := leg.deadline()) is not None:
                yield due
            if self._is_idle(leg):
                paced = leg.pace.due()
                yield paced if paced > self._now else leg.last_sent + self._keep_alive_after
        if self._retry is not None:
            yield self._retry.at
        if self._may_release:
            yield self._held_until
        rolling = self._rolling
        if rolling is not None and rolling.rollover is not None:
            if self._standby is None:
                yield rolling.rollover.opens_at
            elif self._standby.begin is not None:
                yield rolling.rollover.looks_at
        if (due := self._fill_due) is not None:
            yield due

    def _everywhere(self) -> list[Leg]:
        return self._legs if self._standby is None else [*self._legs, self._standby]

    @property
    def _fed(self) -> Leg | None:
        """The leg that takes what comes in."""
        leg = self._legs[-1] if self._legs else None
        return leg if leg is not None and leg.is_open and leg.end is None else None

    @property
    def _last_closure(self) -> Closure:
        closures = [record.closure for record in self.records if record.closure is not None]
        row = CLOSED_HERE
        here = Closure(row=row, code=row.code, text=row.template, by=ClosedBy.CLIENT)
        return closures[-1] if closures else here

    # Sessions come and go.

    def _open(self, now: float, *, end: int | None = None) -> Leg:
        self._number += 1
        leg = Leg(self._number, format=self.format, address=self._address, now=now, end=end)
        leg.pace = Pace(strict=self._strict)
        self._effects.append(effects.Open(leg.number, dict(self.parameters)))
        return leg

    def _take_part(self, leg: Leg, start: int, now: float) -> None:
        """The leg is sent the audio from here on."""
        silence = SILENCE_AFTER_SECONDS if leg.is_second_hearing else 0.0
        leg.cursor = Cursor(self.timeline, start, leg.end, silence_after=silence)
        leg.last_sent = now
        if leg.end is None and self._renews:
            leg.rollover = Rollover.of(now, leg.life(now))

    def _is_heard(self, leg: Leg, now: float) -> None:
        """The leg's messages are the next on the line."""
        assert leg.begin is not None
        if leg.cursor is None:
            # What was cut will be heard whole.
            self._held = deque(each for each in self._held if not isinstance(each[1], Turn))
            self._release()
            self._take_part(leg, self.timeline.resume(), now)
        assert leg.cursor is not None
        start = self.timeline.ms(leg.cursor.start)
        leg.place = Place(start, self.timeline.next_order)
        self.records.append(SessionRecord(leg.begin, start))
        self._tell("begin", leg.begin)

    def _hear(self, now: float) -> None:
        """Pass on what the first leg says, and the legs after it once it is over."""
        if self._may_release and now >= self._held_until:
            self._release()
        while self._legs and self.closure is None:
            leg = self._legs[0]
            if leg.begin is not None and leg.place is None and not self._abandoned:
                self._is_heard(leg, now)
            while leg.waiting and leg.place is not None:
                self._judge(leg, leg.waiting.popleft(), now)
            if leg.passed_over:
                self._log("Passed over a message that is not of this protocol.")
                leg.passed_over = 0
            if leg.closure is None:
                return
            self._legs.pop(0)
            self._over(leg, leg.closure, now)

    def _over(self, leg: Leg, closure: Closure, now: float) -> None:
        """The leg that was heard has ended: what follows it?"""
        if leg.place is not None:
            self.records[-1].closure = closure
            self._budget.lasted(closure.session_seconds)
        done = self._says_all(leg)
        if closure.terminated and (leg.heard_everything or done):
            self._release()
            self.timeline.settle()
            self.timeline.cover(self.timeline.end if leg.end is None else leg.end)
            if not self._legs:
                self._finish(closure)
            return
        retry_after = closure.retry_after
        if closure.row is SESSION_ENDED:
            retry_after = 0.0  # The server ended it by itself, and in good order.
        elif closure.row is TRANSMISSION_RATE and not self._strict:
            retry_after, self._strict = 0.0, True
        if closure.row is NO_TERMINATION and done and leg.end is None:
            retry_after = None
        delay = None
        if self.records and not self._abandoned:
            delay = self._budget.delay(retry_after)
        if delay is None:
            self._finish(closure)
            return
        is_second_hearing = closure.terminated and leg.terminate_sent
        if self._standby is not None:
            self._standby.is_second_hearing = is_second_hearing
            self._legs.insert(0, self._standby)
            self._standby = None
        else:
            self._retry = _Retry(now + delay, leg.end, is_second_hearing)
            level = logging.WARNING if self._budget.is_first else logging.INFO
            self._log(f"{closure}; connecting again in {delay:.2f} s", level)

    def _says_all(self, leg: Leg) -> bool:
        """Whether its turns, with what is held back, leave no words of its part uncovered."""
        end = leg.end
        if end is None and self.timeline.finished:
            end = self.timeline.end
        held = (each.words[-1].end for _, each in self._held if isinstance(each, Turn))
        said = self.format.size(max(held, default=0) / 1000)
        return end is not None and not self.timeline.has_words(said, end)

    def _finish(self, closure: Closure) -> None:
        """The stream is over."""
        self._release()
        self.timeline.settle()
        self.timeline.give_up(self.timeline.end, closure.text or closure.name)
        self._tell_gaps()
        ended_with_it = bool(self.records) and self.records[-1].closure is closure
        self.closure = closure = replace(closure, gaps=tuple(self.timeline.gaps))
        if ended_with_it:
            self.records[-1].closure = closure
        self._effects += [_goodbye(leg) for leg in self._everywhere() if leg.closure is None]
        if closure.terminated and self._termination is not None:
            self._call("termination", self._termination)
        if closure.is_error:
            self._call("error", raised_for(closure))
        self._call("close", closure)

    # Rollover.

    @property
    def _rolling(self) -> Leg | None:
        """The leg that is to be renewed before it expires."""
        leg = self._fed
        return leg if leg is not None and len(self._legs) == 1 and leg.place is not None else None

    def _roll_over(self, now: float) -> None:
        standby = self._standby
        if standby is not None and standby.closure is not None:
            self._log(f"The session could not be renewed: {raised_for(standby.closure)}")
            self._standby = None
        leg = self._rolling
        plan = None if leg is None else leg.rollover
        if leg is None or plan is None or leg.cursor is None:
            return
        if self._standby is None:
            if standby is not None:
                leg.rollover = None  # It expires, and is followed by another one.
            elif now >= plan.opens_at:
                self._standby = self._open(now)
                plan.stands_by(now)
            return
        if self._standby.begin is None or now < plan.looks_at:
            return
        pause = plan.pause(now)
        if pause is None:
            self._effects.append(effects.Close(self._standby.number))
            self._standby = leg.rollover = None
        elif self.timeline.is_quiet_before(leg.cursor.position, pause):
            following, self._standby = self._standby, None
            leg.end = leg.cursor.end = leg.cursor.position
            self._legs.append(following)
            self._take_part(following, leg.cursor.position, now)

    # What goes out.

    def _feed(self, leg: Leg, now: float) -> None:
        if (ping := leg.ping_due()) is not None and now >= ping:
            leg.pinged(now)
            self._effects.append(effects.Ping(leg.number))
        if not self._is_idle(leg) or now < leg.pace.due():
            return
        match leg.cursor.next() if leg.cursor is not None else None:
            case None:
                if now >= leg.last_sent + self._keep_alive_after:
                    self._send(leg, KEEP_ALIVE, now)
            case Missing() as missing:
                leg.busy = True
                self._effects.append(effects.Reread(leg.number, missing.start, missing.end))
            case Done.DONE:
                self._effects.append(effects.Ping(leg.number))
                self._send(leg, TERMINATE, now)
                leg.terminate(now)
            case bytes() as audio:
                leg.pace.sent(self.format.seconds(len(audio)), now)
                self._send(leg, audio, now)
            case str() as text:
                self._send(leg, text, now)

    def _is_idle(self, leg: Leg) -> bool:
        """Whether something can be sent."""
        return leg.is_open and not (leg.busy or leg.terminate_sent or self._abandoned)

    def _send(self, leg: Leg, frame: str | bytes, now: float) -> None:
        leg.busy = True
        leg.last_sent = now
        self._effects.append(effects.Send(leg.number, frame))

    def _reread(self, leg: Leg, audio: bytes | None, now: float) -> None:
        leg.busy = False
        if leg.cursor is None or not leg.is_open:
            return
        if audio is None:
            # Silence in its place keeps the line of time as it is.
            audio = leg.cursor.silence(leg.cursor.position - self.timeline.covered)
            self.timeline.give_up(leg.cursor.position, NOT_REREAD)
        leg.pace.sent(self.format.seconds(len(audio)), now)
        self._send(leg, audio, now)

    @property
    def _keep_alive_after(self) -> float:
        asked = self.parameters.get("inactivity_timeout")
        if isinstance(asked, int | float):
            return min(KEEP_ALIVE_SECONDS, asked / 2)
        return KEEP_ALIVE_SECONDS

    @property
    def _fill_due(self) -> float | None:
        if not self._fills or self.timeline.finished or self._audio_until is None:
            return None
        if self._fed is None or self.is_full:
            return None
        return self._audio_until + FILL_SECONDS

    def _fill(self, now: float) -> None:
        """Silence in place of what the source does not give."""
        if self._fills and self._audio_until is None and self._fed is not None:
            self._audio_until = now
        due = self._fill_due
        if due is None or self._audio_until is None or now < due:
            return
        size = self.format.size(now - self._audio_until)
        cursor = self._legs[-1].cursor
        if cursor is not None:
            self._append(cursor.silence(size), now)

    # What comes in.

    def _judge(self, leg: Leg, message: ServerMessage, now: float) -> None:
        """Pass a message on, unless it may be the cut end of a session: then hold it back."""
        assert leg.place is not None
        if isinstance(message, Turn):
            order = leg.place.order_of(message)
            order = self.timeline.next_order if order is None else order
            floor = self._floor if order <= self._last_turn[0] else self._last_turn[1]
            turn = leg.place.moved_turn(message, order=order, floor=floor)
            if self.timeline.is_repeated(turn):
                self.timeline.came_late(leg.place.moved_turn(message, order=order, floor=0))
                return
            message = turn
            holds = self.timeline.is_cut(turn)
        else:
            message = leg.place.moved(message)
            unasked = isinstance(message, Termination) and not leg.heard_everything
            holds = bool(self._held) and (unasked or isinstance(message, Error))
        if not holds:
            self._release()
            self._pass_on(leg, message)
            return
        if not self._held:
            self._held_until = now + HOLD_SECONDS
        self._held.append((leg, message))

    @property
    def _may_release(self) -> bool:
        """Whether the session goes on, so that what is held back may not have been cut."""
        return bool(self._held) and self._held[0][0].is_open

    def _release(self) -> None:
        """Pass on what was held back."""
        while self._held:
            self._pass_on(*self._held.popleft())

    def _pass_on(self, leg: Leg, message: ServerMessage) -> None:
        match message:
            case Turn() if self.timeline.is_repeated(message):
                pass  # It came twice while it was held back.
            case Turn():
                sent = 0 if leg.cursor is None else leg.cursor.position
                self.timeline.hear(message, sent=sent)
                self._tell_gaps()
                if message.end_of_turn and message.words:
                    self._note_end(message.turn_order, message.words[-1].end)
                self._tell("turn", message)
            case SpeechStarted():
                self._tell("speech_started", message)
            case Termination():
                self._termination = message
                self._call("event", message)
            case _:
                self._call("event", message)

    def _note_end(self, order: int, end: int) -> None:
        last, last_end = self._last_turn
        if order > last:
            self._floor = last_end
        self._last_turn = (max(order, last), max(end, last_end))

    def _tell(self, name: str, message: ServerMessage) -> None:
        self._call("event", message)
        self._call(name, message)

    def _tell_gaps(self) -> None:
        for gap in self.timeline.gaps[self._told_gaps :]:
            self._call("gap", gap.start, gap.end, gap.reason)
        self._told_gaps = len(self.timeline.gaps)

    def _call(self, name: str, *arguments: object) -> None:
        self._effects.append(effects.Call(name, arguments))

    def _log(self, text: str, level: int = logging.WARNING) -> None:
        self._effects.append(effects.Log(text, level))

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


def _drop(leg: Leg) -> effects.Drop:
    return effects.Drop(leg.number)


def _goodbye(leg: Leg) -> effects.Effect:
    return _drop(leg) if leg.begin is None else effects.Close(leg.number)
