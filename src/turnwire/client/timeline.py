"""One line of time through all sessions of a client.

Positions are bytes from the first that the client was given, in whole samples. Audio is *covered*
once the turn that it belongs to has been delivered for good. A session that takes over from one
that broke gets everything from there on; what cannot be sent again is a gap. No asyncio, no
sockets, no clock.
"""

from collections import deque
from collections.abc import Iterator

from turnwire.client.audio import AudioFormat
from turnwire.client.closures import Gap
from turnwire.client.loudness import FRAME_SECONDS, Loudness, run_length
from turnwire.client.messages import Turn
from turnwire.client.recording import Recording

SURROUNDINGS_SECONDS = 10.0
"""How much of the audio before a place tells how loud quiet is."""

TAIL_SECONDS = 0.1
"""How much may be left of a last word after its end: word times are not more exact."""

PAUSE_SECONDS = 0.2
"""So much silence after a last word is the pause that ended its turn."""

MOST_SKIPPED = 100
"""How many turns that are missing are remembered, in case they come late."""

NOT_KEPT = "no final turn came for it, and it was not kept for so long"
NOT_FINISHED = "its turn was never finished"
OUT_OF_ORDER = "its turn came after later ones"


class Timeline:
    """The audio and the turns of one client."""

    def __init__(self, format: AudioFormat, recording: Recording) -> None:
        self.format = format
        self.recording = recording
        self.wants_formatted = False
        """Whether a turn is over only with its formatted message."""
        self.finished = False
        """Whether no more audio comes."""
        self.next_order = 0
        """The `turn_order` of the first turn that is not covered."""
        self.covered = 0
        """The position up to which all turns have been delivered, or are reported as a gap."""
        self.gaps: list[Gap] = []
        self._size = 0
        self._loudness = Loudness(format)
        self._lost_words_until = 0  # the end of what was let go of uncovered, and not silent
        self._rereadable: list[tuple[int, int]] = []
        self._marks: deque[tuple[int, str]] = deque()
        self._marks_gone = 0
        self._ended: tuple[int, int] | None = None  # order and end of a turn that may be formatted
        self._begun: int | None = None  # the turn that had words last
        self._unformatted: int | None = None  # the turn that ended last, if it may be formatted
        self._skipped: set[int] = set()
        self._forced_at: int | None = None  # the position of the last message that ends a turn
        self._ended_by_force = False

    @property
    def end(self) -> int:
        """The position up to which there is audio."""
        return self._size - self._size % self.format.sample_bytes

    def ms(self, position: int) -> int:
        return round(1000 * self.format.seconds(position))

    def append(self, audio: bytes, *, sent: int | None, rereadable: bool = False) -> None:
        """Add audio. What lies before `sent` may be let go of if there is too much of it."""
        if rereadable:
            self._add_rereadable(self._size, self._size + len(audio))
        self.recording.append(audio)
        self._size += len(audio)
        self._loudness.append(audio)
        if sent is not None:
            self._let_go(min(sent, self.end - self.recording.capacity))

    def is_full(self, sent: int | None, most: int) -> bool:
        """Whether so much is kept, or more; of all, or of what lies after `sent`."""
        kept = self.recording.start if sent is None else sent
        return self.end - kept >= most

    def mark(self, message: str, *, forces: bool = False) -> None:
        """A message to servers that belongs right here, after the audio so far."""
        self._marks.append((self.end, message))
        if forces:
            self._forced_at = self.end

    def marks_from(self, number: int) -> Iterator[tuple[int, str]]:
        """The marks from the n-th of all on, each with its position."""
        first = max(number - self._marks_gone, 0)
        return (self._marks[at] for at in range(first, len(self._marks)))

    def first_mark(self, position: int) -> int:
        """The number of the first mark at this position or after it."""
        before = sum(1 for at, _ in self._marks if at < position)
        return self._marks_gone + before

    # What the turns cover.

    def is_repeated(self, turn: Turn) -> bool:
        """Whether a later turn, or this one, has been delivered for good before."""
        formats = turn.end_of_turn and turn.turn_is_formatted
        return turn.turn_order < self.next_order and not (
            formats and turn.turn_order == self._unformatted
        )

    def came_late(self, turn: Turn) -> None:
        """Take note of a turn that is repeated, or that later ones have overtaken: a gap."""
        if turn.end_of_turn and turn.words and turn.turn_order in self._skipped:
            self._skipped.discard(turn.turn_order)
            self.gaps.append(Gap(turn.words[0].start, turn.words[-1].end, OUT_OF_ORDER))

    def hear(self, turn: Turn, *, sent: int) -> None:
        """Take note of a turn, placed on this line, of a session that was sent so much of it."""
        order = turn.turn_order
        if order < self.next_order:
            self._unformatted = None
            return
        if self._ended is not None and order > self._ended[0]:
            self.settle()
        if not turn.end_of_turn:
            self._begun = order if turn.words else self._begun
            return
        first = self.format.size(turn.words[0].start / 1000) if turn.words else self.covered
        last = self.format.size(turn.words[-1].end / 1000) if turn.words else self.covered
        if order > self.next_order:
            if self._begun is not None and self._begun < order:
                self.give_up(min(first, sent), NOT_FINISHED)
            else:
                self._skipped.update(range(max(self.next_order, order - MOST_SKIPPED), order))
        self._ended = (order, min(last, sent))
        self._unformatted = None if turn.turn_is_formatted else order
        if turn.turn_is_formatted or not self.wants_formatted:
            self.settle()

    def settle(self) -> None:
        """No further message will come about the turn that ended last."""
        if self._ended is None:
            return
        order, end = self._ended
        self._ended = None
        self._begun = None
        self._ended_by_force = self._is_forced(end)
        self.next_order = order + 1
        self.cover(end)

    def cover(self, position: int) -> None:
        """All up to here has been delivered."""
        self.covered = max(self.covered, min(position, self.end))
        self._let_go(self.covered)

    def give_up(self, position: int, reason: str) -> None:
        """Nothing more will come for what lies before this position: a gap, if it has words."""
        position = min(position, self.end)
        if position <= self.covered:
            return
        known = max(self.covered, self.recording.start)
        if self._lost_words_until > self.covered or not self._loudness.is_silent(known, position):
            self.gaps.append(Gap(self.ms(self.covered), self.ms(position), reason))
        self.cover(position)

    def has_words(self, start: int, end: int) -> bool:
        """Whether words may be in what is not covered between these positions."""
        start = max(start, self.covered)
        if self._lost_words_until > start:
            return True
        return not self._loudness.is_silent(max(start, self.recording.start), end)

    def resume(self) -> int:
        """Where a session begins that takes over: after the last word, within the pause if there
        is one. A turn that was ended by force has none.

        What lies before that, and cannot be sent again, is a gap from now on.
        """
        start = self._available_from()
        self.give_up(start, NOT_KEPT)
        self._ended = None
        self._begun = None
        self._skipped.clear()
        if self._ended_by_force or start == 0:
            return start
        pause = self._pause_after(start)
        return start if pause is None else pause

    def is_cut(self, turn: Turn) -> bool:
        """Whether this turn seems to have been ended in the middle of speech, unasked."""
        if not turn.end_of_turn or not turn.words:
            return False
        end = self.format.size(turn.words[-1].end / 1000)
        return not self._is_forced(end) and self._pause_after(end) is None

    def _is_forced(self, end: int) -> bool:
        """Whether a turn that ends here was asked to, by a message before the next word."""
        at, said = self._forced_at, end + self.format.size(TAIL_SECONDS)
        if at is None or at < end - self.format.size(TAIL_SECONDS):
            return False
        return at <= said or self._loudness.is_silent(said, at)

    def _pause_after(self, position: int) -> int | None:
        """The middle of the pause that begins here, or nearly; None: there is none."""
        end = position + self.format.size(SURROUNDINGS_SECONDS)
        quiet = self._loudness.quiet(position, min(end, self.end))
        tail = run_length(quiet, False)
        pause = round(PAUSE_SECONDS / FRAME_SECONDS)
        if tail * FRAME_SECONDS > TAIL_SECONDS or run_length(quiet[tail:]) < pause:
            return None
        return position + self.format.size((tail + pause / 2) * FRAME_SECONDS)

    def is_quiet_before(self, position: int, seconds: float) -> bool:
        """Whether nobody spoke for so long before this position."""
        start = position - self.format.size(SURROUNDINGS_SECONDS)
        quiet = self._loudness.quiet(max(start, 0), position)
        return run_length(quiet[::-1]) * FRAME_SECONDS >= seconds

    # What is kept.

    def _let_go(self, position: int) -> None:
        start = self.recording.start
        if position <= start:
            return
        uncovered = max(self.covered, start)
        if position > uncovered and not self._loudness.is_silent(uncovered, position):
            self._lost_words_until = position
        self.recording.forget(position)
        surroundings = self.format.size(SURROUNDINGS_SECONDS)
        self._loudness.forget(position - surroundings)
        while self._marks and self._marks[0][0] < min(position, self.covered):
            self._marks.popleft()
            self._marks_gone += 1

    def _available_from(self) -> int:
        """The first position that is not covered and can be sent again."""
        start = self.recording.start
        if self.covered >= start:
            return self.covered
        for first, last in reversed(self._rereadable):
            if last < start:
                break
            start = max(first, self.covered)
        return start

    def _add_rereadable(self, start: int, end: int) -> None:
        if self._rereadable and self._rereadable[-1][1] == start:
            start = self._rereadable.pop()[0]
        self._rereadable.append((start, end))
