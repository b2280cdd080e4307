"""The audio of a client, as far as it may be needed again.

    MemoryRecording    in memory
    DiskRecording      in a temporary file that no crash leaves behind

Positions are bytes from the first that the client was given.
"""

import tempfile
from typing import IO, Protocol


class Recording(Protocol):
    """Audio from `start` on, up to `end`; more than `capacity` is not kept for long."""

    capacity: int
    start: int

    @property
    def end(self) -> int: ...

    def append(self, audio: bytes) -> None:
        """Add audio at the end."""

    def read(self, start: int, end: int) -> bytes:
        """What there is between these positions."""

    def forget(self, before: int) -> None:
        """Let go of what lies before this position."""

    def close(self) -> None: ...


class MemoryRecording:
    """Kept in memory."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.start = 0
        self._audio = bytearray()

    @property
    def end(self) -> int:
        return self.start + len(self._audio)

    def append(self, audio: bytes) -> None:
        self._audio += audio

    def read(self, start: int, end: int) -> bytes:
        return bytes(self._audio[max(start - self.start, 0) : max(end - self.start, 0)])

    def forget(self, before: int) -> None:
        if before > self.start:
            before = min(before, self.end)
            del self._audio[: before - self.start]
            self.start = before

    def close(self) -> None:
        self._audio.clear()


class DiskRecording:
    """Kept in a file that is written in a circle, and has no name."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.start = 0
        self._end = 0
        # What one call of `append` brings may go beyond the capacity.
        self._size = capacity * 2
        self._file: IO[bytes] | None = None

    @property
    def end(self) -> int:
        return self._end

    def append(self, audio: bytes) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="turnwire-", buffering=0)  # noqa: SIM115
        self._grow(self.end - self.start + len(audio))
        for start, end in self._spans(self.end, self.end + len(audio)):
            self._file.seek(start % self._size)
            self._file.write(audio[start - self.end : end - self.end])
        self._end += len(audio)

    def read(self, start: int, end: int) -> bytes:
        pieces = []
        for first, last in self._spans(max(start, self.start), min(end, self.end)):
            assert self._file is not None
            self._file.seek(first % self._size)
            pieces.append(self._file.read(last - first))
        return b"".join(pieces)

    def forget(self, before: int) -> None:
        self.start = max(self.start, min(before, self.end))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _grow(self, needed: int) -> None:
        """Have room for so many bytes, which one large piece may exceed."""
        if needed <= self._size:
            return
        kept = self.read(self.start, self.end)
        self._size = needed * 2
        self._end = self.start
        self.append(kept)

    def _spans(self, start: int, end: int) -> list[tuple[int, int]]:
        """The same in parts that do not go around the circle's end."""
        spans = []
        while start < end:
            stop = min(end, (start // self._size + 1) * self._size)
            spans.append((start, stop))
            start = stop
        return spans
