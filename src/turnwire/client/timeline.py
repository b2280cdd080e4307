"""One line of time through all sessions of a client.

    Timeline    the audio of the client, as far as it may be needed again, and what is covered
    Cursor      what one session gets of it, cut into messages that servers accept
    Place       where a session stands on the line, and its messages moved there

Positions are bytes from the first that the client was given, in whole samples. Audio is *covered*
once the turn that it belongs to has been delivered for good. A session that takes over from one
that broke gets everything from there on. No asyncio, no sockets, no clock.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from turnwire.client.audio import AudioFormat
from turnwire.client.pacing import CHUNK_MS
from turnwire.client.silence import FRAME_SECONDS, quiet_frames, run_length
from turnwire.wire.encodings import Encoding
from turnwire.wire.limits import LONGEST_CHUNK_MS, SHORTEST_CHUNK_MS
from turnwire.wire.messages import (
    LLMGatewayResponse,
    Revision,
    ServerMessage,
    Silence,
    SpeakerRevision,
    SpeechStarted,
    Turn,
    Word,
)

REPLAY_SECONDS = 120.0
"""How much audio is kept at most: what can be sent again after a loss, and what `send` takes
while there is no session. Servers take minutes of audio at once (ours: five)."""

SURROUNDINGS_SECONDS = 10.0
"""How much of the audio before a place tells how loud quiet is."""

TAIL_SECONDS = 0.1
"""How much may be left of a last word after its end: word times are not more exact."""

PAUSE_SECONDS = 0.2
"""So much silence after a last word is the pause that ended its turn."""

_SILENT = {Encoding.PCM_S16LE: b"\0", Encoding.PCM_MULAW: b"\xff"}


class Timeline:
    """The audio and the turns of one client."""

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self.wants_formatted = False
        """Whether a turn is over only with its formatted message."""
        self.finished = False
        """Whether no more audio comes."""
        self.next_order = 0
        """The `turn_order` of the first turn that is not covered."""
        self.covered = 0
        """The position up to which all turns have been delivered."""
        self._audio = bytearray()
        self._start = 0  # the position of the first byte that is kept
        self._capacity = format.size(REPLAY_SECONDS)
        self._marks: deque[tuple[int, str]] = deque()
        self._marks_gone = 0
        self._ended: tuple[int, int] | None = None
        self._forced = False

    @property
    def end(self) -> int:
        """The position up to which there is audio."""
        size = self._start + len(self._audio)
        return size - size % self.format.sample_bytes

    def append(self, audio: bytes, *, sent: int | None) -> None:
        """Add audio. What lies before `sent` may be let go of if there is too much of it."""
        self._audio += audio
        if sent is not None:
            self._let_go(min(sent, self.end - self._capacity))

    def is_full(self, sent: int | None) -> bool:
        """Whether as much is kept as may be; all of it, or what lies after `sent`."""
        return self.end - (self._start if sent is None else sent) >= self._capacity

    def piece(self, start: int, end: int) -> bytes:
        return bytes(self._audio[max(start - self._start, 0) : end - self._start])

    def mark(self, message: str, *, forces: bool = False) -> None:
        """A message to servers that belongs right here, after the audio so far."""
        self._marks.append((self.end, message))
        self._forced = self._forced or forces

    def marks_from(self, number: int) -> Iterator[tuple[int, str]]:
        """The marks from the n-th of all on, each with its position."""
        return (self._marks[at] for at in range(number - self._marks_gone, len(self._marks)))

    def first_mark(self, position: int) -> int:
        """The number of the first mark at this position or after it."""
        before = sum(1 for at, _ in self._marks if at < position)
        return self._marks_gone + before

    def hear(self, turn: Turn) -> None:
        """Take note of a turn, placed on this line."""
        if self._ended is not None and turn.turn_order > self._ended[0]:
            self.settle()
        if turn.end_of_turn:
            self._ended = (turn.turn_order, turn.words[-1].end if turn.words else 0)
            if turn.turn_is_formatted or not self.wants_formatted:
                self.settle()

    def settle(self) -> None:
        """No further message will come about the turn that ended last."""
        if self._ended is None:
            return
        order, end_ms = self._ended
        self._ended = None
        self._forced = False
        self.next_order = order + 1
        self.covered = max(self.covered, min(self.format.size(end_ms / 1000), self.end))
        self._let_go(self.covered)

    def resumption(self) -> int:
        """Where a session begins that takes over: after the last word, within the pause if there
        is one. A turn that was ended by force has none."""
        start = max(self.covered, self._start)
        if self._forced or start == 0:
            return start
        pause = self._pause_after(start)
        return start if pause is None else pause

    def is_cut(self, turn: Turn) -> bool:
        """Whether this turn seems to have been ended in the middle of speech, unasked."""
        if not turn.end_of_turn or not turn.words or self._forced or self.finished:
            return False
        return self._pause_after(self.format.size(turn.words[-1].end / 1000)) is None

    def _pause_after(self, position: int) -> int | None:
        """The middle of the pause that begins here, or nearly; None: there is none."""
        after = self.piece(position, position + self.format.size(SURROUNDINGS_SECONDS))
        quiet = quiet_frames(after, self.format)
        tail = run_length(~quiet)
        pause = round(PAUSE_SECONDS / FRAME_SECONDS)
        if tail * FRAME_SECONDS > TAIL_SECONDS or run_length(quiet[tail:]) < pause:
            return None
        return position + self.format.size((tail + pause / 2) * FRAME_SECONDS)

    def is_quiet_before(self, position: int, seconds: float) -> bool:
        """Whether nobody spoke for so long before this position."""
        before = self.piece(position - self.format.size(SURROUNDINGS_SECONDS), position)
        quiet = quiet_frames(before, self.format)
        return run_length(quiet[::-1]) * FRAME_SECONDS >= seconds

    def _let_go(self, position: int) -> None:
        if position <= self._start:
            return
        del self._audio[: position - self._start]
        self._start = position
        self.covered = max(self.covered, position)
        while self._marks and self._marks[0][0] < position:
            self._marks.popleft()
            self._marks_gone += 1


class Done(Enum):
    """What a cursor gives when there will be nothing more."""

    DONE = auto()


class Cursor:
    """What one session is to be sent, from `start` on; to the end of all, or to its own `end`."""

    def __init__(self, timeline: Timeline, start: int, end: int | None = None) -> None:
        self.position = start
        self.end = end
        self._timeline = timeline
        self._mark = timeline.first_mark(start)
        format = timeline.format
        self._shortest = format.size(SHORTEST_CHUNK_MS / 1000)
        self._usual = format.size(CHUNK_MS / 1000)
        self._longest = format.size(LONGEST_CHUNK_MS / 1000)

    def next(self) -> bytes | str | Done | None:
        """Audio of a length that servers accept, or a message; None: nothing to send yet.

        Only right before a message there may be less than 50 ms, which servers let pass.
        """
        last = self._timeline.finished or self.end is not None
        limit = self._timeline.end if self.end is None else self.end
        mark = next(self._timeline.marks_from(self._mark), None)
        if mark is not None and mark[0] > limit:
            mark = None
        stop = limit if mark is None else mark[0]
        available = max(stop - self.position, 0)
        size = self._size(available, complete=last or mark is not None)
        if size:
            piece = self._timeline.piece(self.position, self.position + size)
            self.position += size
            if mark is None and last and size == available:
                silent = _SILENT[self._timeline.format.encoding]
                piece = piece.ljust(self._shortest, silent)
            return piece
        if mark is not None:
            self._mark += 1
            return mark[1]
        return Done.DONE if last else None

    def _size(self, available: int, *, complete: bool) -> int:
        if available > self._longest:
            # What is left over must not be too short.
            short = complete and available - self._longest < self._shortest
            return self._longest - self._shortest if short else self._longest
        return available if complete or available >= self._usual else 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session stands."""

    ms: int
    """Where its audio begins."""
    order: int
    """The order of its first turn."""

    def moved(self, message: ServerMessage) -> ServerMessage:
        """The message with times and orders as they are on the one line."""
        match message:
            case Turn():
                return message.model_copy(update=self._turn(message))
            case SpeechStarted():
                return message.model_copy(update={"timestamp": message.timestamp + self.ms})
            case Silence():
                moved = {
                    "start_ms": message.start_ms + self.ms,
                    "end_ms": message.end_ms + self.ms,
                }
                return message.model_copy(update=moved)
            case SpeakerRevision():
                revisions = tuple(
                    each.model_copy(update=self._turn(each)) for each in message.revisions
                )
                return message.model_copy(update={"revisions": revisions})
            case LLMGatewayResponse():
                order = message.turn_order + self.order
                return message.model_copy(update={"turn_order": order})
            case _:
                return message

    def _turn(self, turn: Turn | Revision) -> dict[str, object]:
        return {
            "turn_order": turn.turn_order + self.order,
            "words": tuple(map(self._word, turn.words)),
        }

    def _word(self, word: Word) -> Word:
        return word.model_copy(update={"start": word.start + self.ms, "end": word.end + self.ms})
