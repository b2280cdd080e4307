"""A leg: one session's part of a stream, from the attempt to open it to its closure.

Nothing here waits forever: a leg that is `overdue` is dropped. What decides how it ended is the
first of these that came: Termination, an Error message, a close frame, the end of the connection.
What comes after that changes nothing but the story.
"""

from collections import deque

from turnwire.client.audio import AudioFormat
from turnwire.client.closures import ClosedBy, Closure, row_of
from turnwire.client.cursor import Cursor
from turnwire.client.events import CloseFrame, Disconnected
from turnwire.client.messages import (
    Begin,
    Error,
    Progress,
    ServerMessage,
    Termination,
    Turn,
    parse,
)
from turnwire.client.pace import Pace, RecordingPace
from turnwire.client.placing import LegPlace
from turnwire.client.rows import (
    CLOSED_HERE,
    CONNECTION_LOST,
    NO_BEGIN,
    NO_TERMINATION,
    NOT_ENDED,
    NOT_THIS_PROTOCOL,
)
from turnwire.client.timeline import Timeline
from turnwire.wire.closure import NO_CLOSE_FRAME, ClosureRow
from turnwire.wire.closures import SESSION_ENDED

OPEN_SECONDS = 10.0
"""For the token, the connection, the handshake and Begin together."""

PING_SECONDS = 10.0
"""Without anything from the server, until it is pinged."""

PONG_SECONDS = 15.0
"""For the answer to a ping; without one the connection is lost. A server may come to a ping only
after the audio before it, so what that audio is ahead of time is added."""

END_SECONDS = 30.0
"""After Terminate, for each further message, and as long as the audio sent is ahead: the server
may still have that to get through."""

CLOSE_SECONDS = 5.0
"""For everything else once the end has begun: an answer to a ping, a close frame."""

ROUNDING_SECONDS = 1.0
"""How far off a figure of Termination is, in either direction."""

SILENCE_AFTER_SECONDS = 2.0
"""What is heard a second time is followed by silence, so that figures in whole seconds tell whether
all of it was."""

NORMAL = 1000
NO_CODE = 1005


class Leg:
    """One session. Its owner sends what `cursor` gives and reads `waiting`, until `closure`."""

    def __init__(
        self,
        number: int,
        *,
        format: AudioFormat,
        address: str,
        now: float,
        end: int | None = None,
        recording: bool = False,
    ) -> None:
        """`end` is where its part of the stream ends, if that is known. `recording` is whether it
        asks to be heard as fast as there is time for it."""
        self.number = number
        self.end = end
        self.begin: Begin | None = None
        self.closure: Closure | None = None
        self.waiting: deque[ServerMessage] = deque()
        """What it said and nobody has read yet."""
        # From the moment it has a part of the stream:
        self.cursor: Cursor | None = None
        self.place: LegPlace | None = None
        self.pace = Pace()
        self.busy = False
        """Whether something is on its way out."""
        self.last_sent = now
        self.terminate_sent = False
        self.is_second_hearing = False
        """Whether it is sent what the leg before it was sent, as nobody knows if that was heard."""
        self.passed_over = 0
        """How many frames could not be read."""
        self.stalled = False
        """Whether it was given up as the server did not get on with a recording."""
        self._recording = recording
        self._format = format
        self._address = address
        self._unix_time: tuple[float, float] | None = None
        self._begun_at: float | None = None
        self._heard_at = now
        self._pinged_at: float | None = None
        self._pings = 0
        self._pongs = 0
        self._last_ping = 0  # the number of the ping ahead of Terminate
        self._is_answered = False
        self._due: float | None = now + OPEN_SECONDS
        self._error: Error | None = None
        self._termination: Termination | None = None
        self._story: list[str] = []

    @property
    def is_open(self) -> bool:
        """Whether it has begun, and nothing says yet that it ends."""
        return self.begin is not None and self.closure is None and self.is_undecided

    @property
    def is_undecided(self) -> bool:
        return self._error is None and self._termination is None

    @property
    def terminated(self) -> bool:
        return self._termination is not None

    @property
    def heard_everything(self) -> bool:
        """Whether its Termination says that it has heard all that it was sent.

        A server may have ended it by itself, while the last audio and Terminate were on their way.
        A ping goes ahead of Terminate: what comes before its pong is no answer. The figures of
        Termination are in whole seconds, so that alone they tell only where silence follows.
        """
        if self._termination is None or not self.terminate_sent or self.cursor is None:
            return False
        heard = self._termination.audio_duration_seconds
        if not heard:
            return self._is_answered
        all_heard = heard >= self._format.seconds(self.cursor.sent) - ROUNDING_SECONDS
        return all_heard and (self._is_answered or self.is_second_hearing)

    # What happens to it.

    def take_part(self, timeline: Timeline, start: int, now: float) -> None:
        """From here on it is sent the audio from this position on."""
        silence = SILENCE_AFTER_SECONDS if self.is_second_hearing else 0.0
        self.cursor = Cursor(timeline, start, self.end, silence_after=silence)
        self.last_sent = now

    def opened(self, now: float, unix_time: float) -> None:
        self._unix_time = (now, unix_time)
        self._heard_at = now

    def life(self, now: float) -> float:
        """Seconds until it expires, as Begin has it; 0 if that is not known."""
        if self.begin is None or self._unix_time is None or not self.begin.expires_at:
            return 0.0
        at, unix_time = self._unix_time
        return self.begin.expires_at - unix_time - (now - at)

    def received(self, frame: str | bytes, now: float) -> None:
        self._heard_at = now
        self._pinged_at = None
        message = parse(frame)
        if message is None:
            self.passed_over += 1
            return
        if self.begin is None and isinstance(message, Turn | Termination):
            row = NOT_THIS_PROTOCOL
            text = row.fill(message=message.type).text
            self._end(row, row.code, text, ClosedBy.CLIENT, now)
            return
        match message:
            case Begin() if self.begin is None:
                self.begin = message
                self._begun_at = now
                self._due = None
                self._story.append("received Begin")
                if self._recording and message.recording_window_ms:
                    self.pace = RecordingPace(message.recording_window_ms / 1000)
                return
            case Begin():
                return
            case Error() if self.is_undecided:
                self._error = message
                self._note(f"received Error {message.error_code or ''}".rstrip(), now)
            case Termination() if self.is_undecided:
                self._termination = message
                self._is_answered = self.terminate_sent and self._pongs >= self._last_ping
                self._note("received Termination", now)
            case Error() | Termination():
                return
        if isinstance(message, Progress) and isinstance(self.pace, RecordingPace):
            self.pace.heard(message.audio_heard_ms / 1000, now)
        if self.terminate_sent and self.is_undecided:
            self._due = self._end_due(now)
        self._put(message)

    def _end_due(self, now: float) -> float:
        """When the next message is due once the end was asked for."""
        return now + END_SECONDS + self.pace.ahead(now)

    def _put(self, message: ServerMessage) -> None:
        last = self.waiting[-1] if self.waiting else None
        if (
            isinstance(message, Turn)
            and isinstance(last, Turn)
            and last.turn_order == message.turn_order
            and not last.end_of_turn
        ):
            self.waiting.pop()  # Nobody has seen the older text, so nobody misses it.
        self.waiting.append(message)

    def _note(self, told: str, now: float) -> None:
        self._story.append(told)
        self._due = now + CLOSE_SECONDS

    def terminate(self, now: float) -> None:
        """The end was asked for, right behind a ping."""
        self.terminate_sent = True
        self._pings += 1
        self._last_ping = self._pings
        self._story.append("sent Terminate")
        self._due = self._end_due(now)

    def ponged(self, now: float) -> None:
        self._heard_at = now
        self._pinged_at = None
        self._pongs += 1

    def pinged(self, now: float) -> None:
        self._pings += 1
        self._pinged_at = now

    def disconnected(self, end: Disconnected, now: float) -> None:
        # Of two close frames the first is the cause and the second its echo.
        by_server = end.received is not None and (end.server_first or end.sent is None)
        frames = [
            f"{done} close {frame.code}"
            for done, frame in (("received", end.received), ("sent", end.sent))
            if frame is not None
        ]
        self._story += frames if by_server else reversed(frames)
        first = end.received if by_server else end.sent
        if not self.is_undecided:
            self._end_as_told(end.received if by_server else None, now)
        elif first is None:
            self._lost(now)
        elif by_server:
            self._closed_by_server(first, now)
        elif first.code == NORMAL:
            self._end(CLOSED_HERE, first.code, CLOSED_HERE.template, ClosedBy.CLIENT, now)
        elif self.begin is None:
            row = NOT_THIS_PROTOCOL
            self._end(row, first.code, first.reason, ClosedBy.CLIENT, now)
        else:
            # Frames that cannot be read: the connection is damaged.
            self._lost(now)

    # How it ended.

    def overdue(self, now: float) -> bool:
        """Whether it has waited in vain; then it has a closure, and is to be dropped."""
        if self.closure is not None:
            return False
        if self._pong_due is not None and now >= self._pong_due:
            self._story.append("received no answer to a ping")
            if self.is_undecided:
                self._lost(now)
            else:
                self._end_as_told(None, now)
            return True
        if self._progress_due is not None and now >= self._progress_due:
            self._story.append("received no Progress")
            self.stalled = True
            self._lost(now)
            return True
        if self._due is None or now < self._due:
            return False
        if not self.is_undecided:
            self._end_as_told(None, now)
        elif self.begin is None:
            text = NO_BEGIN.fill(address=self._address, seconds=f"{OPEN_SECONDS:g}").text
            self._end(NO_BEGIN, NO_BEGIN.code, text, ClosedBy.NEITHER, now)
        else:
            text = NOT_ENDED.fill(seconds=f"{END_SECONDS:g}").text
            self._end(NOT_ENDED, NO_CLOSE_FRAME, text, ClosedBy.CLIENT, now)
        return True

    def ping_due(self) -> float | None:
        """When to ping the server; None: not now."""
        if self.closure is not None or self._unix_time is None or self._pinged_at is not None:
            return None
        return self._heard_at + (CLOSE_SECONDS if self.terminate_sent else PING_SECONDS)

    def deadline(self) -> float | None:
        """When this leg has to be looked at again."""
        if self.closure is not None:
            return None
        times = (self._due, self._pong_due, self._progress_due, self.ping_due())
        return min((each for each in times if each is not None), default=None)

    @property
    def _progress_due(self) -> float | None:
        # Once the end was asked for or has begun, that has limits of its own.
        return self.pace.gives_up_at() if self.is_open and not self.terminate_sent else None

    @property
    def _pong_due(self) -> float | None:
        if self._pinged_at is None:
            return None
        patience = CLOSE_SECONDS if self.terminate_sent else PONG_SECONDS
        return self._pinged_at + patience + self.pace.ahead(self._pinged_at)

    def _end_as_told(self, frame: CloseFrame | None, now: float) -> None:
        """As its Termination or its Error says, whatever became of the connection."""
        if self._termination is not None:
            reason = frame.reason if frame is not None and frame.code == NORMAL else ""
            text = reason or SESSION_ENDED.template
            self._end(SESSION_ENDED, NORMAL, text, ClosedBy.SERVER, now, reason)
            return
        assert self._error is not None
        code, text = self._error.error_code, self._error.error
        reason = frame.reason if frame is not None else ""
        if code is None:
            code = frame.code if frame is not None else NO_CLOSE_FRAME
        row = row_of(code, text or reason)
        self._end(row, code, text or reason, ClosedBy.SERVER, now, reason)

    def _closed_by_server(self, frame: CloseFrame, now: float) -> None:
        code, reason = frame.code, frame.reason
        if code == NO_CODE:
            self._lost(now)
            return
        row = NO_TERMINATION if code == NORMAL else row_of(code, reason)
        self._end(row, code, reason, ClosedBy.SERVER, now, reason)

    def _lost(self, now: float) -> None:
        row = CONNECTION_LOST
        self._end(row, NO_CLOSE_FRAME, row.template, ClosedBy.NEITHER, now)

    def _end(
        self, row: ClosureRow, code: int, text: str, by: ClosedBy, now: float, reason: str = ""
    ) -> None:
        told = self._termination or Termination()
        audio, lasted = told.audio_duration_seconds, told.session_duration_seconds
        if audio is None:
            audio = 0.0 if self.cursor is None else self._format.seconds(self.cursor.sent)
        if lasted is None:
            lasted = 0.0 if self._begun_at is None else now - self._begun_at
        self.closure = Closure(
            row=row,
            code=code,
            reason=reason,
            text=text,
            by=by,
            story=tuple(self._story),
            session_id=None if self.begin is None else self.begin.id,
            audio_seconds=audio,
            session_seconds=lasted,
            terminated=self.terminated,
        )
