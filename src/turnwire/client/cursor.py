"""What one session is sent of a client's audio, cut into messages that servers accept."""

from dataclasses import dataclass
from enum import Enum, auto

from turnwire.client.pace import CHUNK_MS
from turnwire.client.timeline import Timeline
from turnwire.wire.encodings import Encoding
from turnwire.wire.limits import LONGEST_CHUNK_MS, SHORTEST_CHUNK_MS

SILENT_BYTE = {Encoding.PCM_S16LE: b"\0", Encoding.PCM_MULAW: b"\xff"}


class Nothing(Enum):
    """What a cursor gives when there is nothing to send."""

    YET = auto()
    MORE = auto()
    """Nor will there be."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Audio that is not kept any more, and has to be read again."""

    start: int
    end: int


class Cursor:
    """What one session is to be sent, from `start` on; to the end of all, or to its own `end`."""

    def __init__(
        self, timeline: Timeline, start: int, end: int | None = None, *, silence_after: float = 0.0
    ) -> None:
        """`silence_after` is how many seconds of silence follow at the end."""
        self.start = start
        self.position = start
        self.end = end
        self._silence_left = timeline.format.size(silence_after)
        self._silence_sent = 0
        self._timeline = timeline
        self._mark = timeline.first_mark(start)
        format = timeline.format
        self._shortest = format.size(SHORTEST_CHUNK_MS / 1000)
        self._usual = format.size(CHUNK_MS / 1000)
        self._longest = format.size(LONGEST_CHUNK_MS / 1000)
        self._silent = SILENT_BYTE[format.encoding]

    def next(self) -> bytes | str | Missing | Nothing:
        """Audio of a length that servers accept, a message, `Missing` or `Nothing`.

        Only right before a message there may be less than 50 ms, which servers let pass. Audio
        that is `Missing` is left to the caller.
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
            start, self.position = self.position, self.position + size
            kept = self._timeline.recording.start
            if start < kept:
                self.position = min(self.position, kept)
                return Missing(start, self.position)
            piece = self._timeline.recording.read(start, self.position)
            return self.filled(piece) if mark is None and last and size == available else piece
        if mark is not None:
            self._mark += 1
            return mark[1]
        if not last:
            return Nothing.YET
        return self._next_silence() or Nothing.MORE

    @property
    def sent(self) -> int:
        """How many bytes it has given."""
        return self.position - self.start + self._silence_sent

    def _next_silence(self) -> bytes:
        size = min(self._silence_left, self._longest)
        self._silence_left -= size
        self._silence_sent += size
        return self.silence(size)

    def filled(self, piece: bytes) -> bytes:
        """The audio, with silence behind it if it is too short."""
        return piece.ljust(self._shortest, self._silent)

    def silence(self, size: int) -> bytes:
        return self._silent * size

    def _size(self, available: int, *, complete: bool) -> int:
        if available > self._longest:
            # What is left over must not be too short.
            short = complete and available - self._longest < self._shortest
            return self._longest - self._shortest if short else self._longest
        return available if complete or available >= self._usual else 0
