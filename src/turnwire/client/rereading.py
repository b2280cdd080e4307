"""Files that were sent, to be read again from anywhere."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Protocol


class Readable(Protocol):
    """A file's audio in pieces of any length."""

    def __iter__(self) -> Iterator[bytes]: ...

    def __exit__(self, *_: object) -> None: ...


class Files:
    """Which file stands where in a stream. One that is read onward stays open."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._openings: list[Callable[[], Readable]] = []
        self._open: tuple[int, Readable, Iterator[bytes]] | None = None
        self._position = 0
        self._rest = b""

    def add(self, start: int, opening: Callable[[], Readable]) -> None:
        """A file whose audio begins at this position; `opening` opens it anew."""
        self._starts.append(start)
        self._openings.append(opening)

    def read(self, start: int, end: int) -> bytes | None:
        """The audio between these positions; None if it is not to be had any more."""
        at = bisect_right(self._starts, start) - 1
        if at < 0:
            return None
        try:
            return self._read(at, start, end)
        except Exception:
            # Whatever a decoder or a file system may say: the file is not as it was.
            self.close()
            return None

    def close(self) -> None:
        if self._open is not None:
            with suppress(Exception):
                self._open[1].__exit__(None, None, None)
            self._open = None

    def _read(self, at: int, start: int, end: int) -> bytes | None:
        if self._open is None or self._open[0] != at or self._position > start:
            self.close()
            file = self._openings[at]()
            self._open = (at, file, iter(file))
            self._position, self._rest = self._starts[at], b""
        pieces = self._open[2]
        wanted = bytearray()
        while self._position < end:
            piece = self._rest or next(pieces, b"")
            if not piece:
                break
            skip = max(start - self._position, 0)
            take = piece[skip : end - self._position]
            wanted += take
            used = min(skip + len(take), len(piece))
            self._position += used
            self._rest = piece[used:]
        # A file may have been sent to its end and then some silence, to make a whole message.
        return bytes(wanted).ljust(end - start, b"\0") if wanted else None
