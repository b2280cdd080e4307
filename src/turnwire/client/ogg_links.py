"""Ogg streams that follow each other in one file (RFC 3533, 4: chained), each a file of its own.

FFmpeg gives up at a link that has another number of channels than the one before.
"""

import io
import os
from collections.abc import Iterator, Sequence
from struct import Struct
from typing import IO, BinaryIO, cast

_MAGIC = b"OggS"
_HEADER = Struct("<4sBBqIIIB")
_FIRST = 2


class FilePart(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file, self._start, self._end = file, start, end
        self._at = start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: self._start, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        self._at = max(base + offset, self._start)
        return self._at - self._start

    def tell(self) -> int:
        return self._at - self._start

    def read(self, size: int = -1) -> bytes:
        left = max(self._end - self._at, 0)
        self._file.seek(self._at)
        data = self._file.read(left if size < 0 else min(size, left))
        self._at += len(data)
        return data


def parts(file: BinaryIO) -> Sequence[IO[bytes]]:
    """The links of an Ogg file, or the file itself if it is no chain of them."""
    if not file.seekable():
        return [file]
    starts = list(_starts(file))
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    if len(starts) < 2:
        return [file]
    borders = zip(starts, [*starts[1:], end], strict=True)
    return [cast(IO[bytes], FilePart(file, *border)) for border in borders]


def _starts(file: BinaryIO) -> Iterator[int]:
    """Where links begin: at a first page that follows one that is none."""
    at, began = 0, False
    while True:
        file.seek(at)
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size or not header.startswith(_MAGIC):
            return
        _, _, flags, _, _, _, _, segments = _HEADER.unpack(header)
        begins = bool(flags & _FIRST)
        if begins and not began:
            yield at
        began = begins
        at += _HEADER.size + segments + sum(file.read(segments))
