"""The audio of a client, as far as it may be needed again.

    MemoryRecording    in memory
    DiskRecording      in a temporary file that no crash leaves behind

Positions are bytes from the first that the client was given.
"""

import errno
import logging
import os
from typing import IO, Protocol

MEMORY_BYTES = 4 << 20
"""How much is kept where there is no room for a file: two minutes of 16 kHz."""

_log = logging.getLogger(__name__)


class Recording(Protocol):
    """Audio from `start` on, up to `end`; more than `capacity` is not kept for long."""

    capacity: int

    @property
    def start(self) -> int: ...

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
    """Kept in a file that is written in a circle, and has no name.

    Where there is no room for one, the end of it is kept in memory instead.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._start = 0
        self._end = 0
        # What one call of `append` brings may go beyond the capacity.
        self._size = capacity * 2
        self._file: IO[bytes] | None = None
        self._memory: MemoryRecording | None = None

    @property
    def start(self) -> int:
        return self._start if self._memory is None else self._memory.start

    @property
    def end(self) -> int:
        return self._end if self._memory is None else self._memory.end

    def append(self, audio: bytes) -> None:
        if self._memory is None:
            try:
                self._write(audio)
            except OSError as error:
                self._memory = self._in_memory(error)
                self._memory.append(audio)
        else:
            self._memory.append(audio)

    def read(self, start: int, end: int) -> bytes:
        if self._memory is not None:
            return self._memory.read(start, end)
        pieces = []
        for first, last in self._spans(max(start, self._start), min(end, self._end)):
            assert self._file is not None
            self._file.seek(first % self._size)
            pieces.append(self._file.read(last - first))
        return b"".join(pieces)

    def forget(self, before: int) -> None:
        if self._memory is not None:
            self._memory.forget(before)
        else:
            self._start = max(self._start, min(before, self._end))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _write(self, audio: bytes) -> None:
        if self._file is None:
            # It takes long to load, and few programs ask for it.
            import tempfile

            self._file = tempfile.TemporaryFile(prefix="turnwire-", buffering=0)  # noqa: SIM115
        self._grow(self._end - self._start + len(audio))
        for start, end in self._spans(self._end, self._end + len(audio)):
            self._file.seek(start % self._size)
            if self._file.write(audio[start - self._end : end - self._end]) < end - start:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._end += len(audio)

    def _in_memory(self, error: OSError) -> MemoryRecording:
        """The end of what is kept, from now on in memory."""
        _log.warning("audio is kept in memory, as it cannot be kept in a file: %s", error)
        self.capacity = min(self.capacity, MEMORY_BYTES)
        memory = MemoryRecording(self.capacity)
        memory.start = max(self._start, self._end - self.capacity)
        memory.append(self.read(memory.start, self._end))
        self.close()
        return memory

    def _grow(self, needed: int) -> None:
        """Have room for so many bytes, which one large piece may exceed."""
        if needed <= self._size:
            return
        kept = self.read(self._start, self._end)
        self._size = needed * 2
        self._end = self._start
        self._write(kept)

    def _spans(self, start: int, end: int) -> list[tuple[int, int]]:
        """The same in parts that do not go around the circle's end."""
        spans = []
        while start < end:
            stop = min(end, (start // self._size + 1) * self._size)
            spans.append((start, stop))
            start = stop
        return spans
