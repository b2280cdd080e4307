"""How long a WAV file says that it is."""

from struct import Struct, error
from typing import IO

_CHUNK = Struct("<4sI")
_FORMAT = Struct("<HHIIHH")

_LARGEST = 0x7FFFFFFF - 4096
"""From about here on, as with 0, a size is what programs write that did not know it."""


def length(file: IO[bytes]) -> float | None:
    """The seconds that the header tells, in a file that can be read again; None if it does not."""
    if not file.seekable():
        return None
    try:
        return _length(file)
    except error:
        return None
    finally:
        file.seek(0)


def _length(file: IO[bytes]) -> float | None:
    riff, _ = _CHUNK.unpack(file.read(_CHUNK.size))
    if riff != b"RIFF" or file.read(4) != b"WAVE":
        return None
    bytes_a_second = 0
    while True:
        name, size = _CHUNK.unpack(file.read(_CHUNK.size))
        start = file.tell()
        if name == b"data":
            return size / bytes_a_second if bytes_a_second and 0 < size < _LARGEST else None
        if name == b"fmt ":
            *_, bytes_a_second, _, _ = _FORMAT.unpack(file.read(_FORMAT.size))
        file.seek(start + size + size % 2)
