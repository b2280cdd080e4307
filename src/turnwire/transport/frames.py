"""The frames of RFC 6455, as a server reads and writes them. Pure: bytes in, messages out."""

import codecs
import struct
from dataclasses import dataclass
from typing import Final

try:
    from websockets.speedups import apply_mask
except ImportError:  # without a C compiler
    from websockets.utils import apply_mask

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

CONTROL_BYTES: Final = 125
"""The longest payload of a control frame (5.5)."""

PROTOCOL_ERROR: Final = 1002
INVALID_DATA: Final = 1007
TOO_BIG: Final = 1009

NO_CODE: Final = 1005
"""Stands for a close frame without a code (7.1.5)."""

_OPCODES = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
_UTF8 = codecs.getincrementaldecoder("utf-8")


class Forbidden(Exception):
    """The client sent what RFC 6455 forbids, or more than a message may have."""

    def __init__(self, code: int, detail: str, *, size: int = 0) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.size = size
        """Of a message that is too big: how much of it was announced."""


@dataclass(frozen=True, slots=True)
class Ping:
    data: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    data: bytes


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of a message of which more is to come."""

    size: int


@dataclass(frozen=True, slots=True)
class CloseFrame:
    """The client's close frame."""

    code: int
    reason: str


Event = str | bytes | Ping | Pong | Fragment | CloseFrame
"""A whole message is its text or its bytes."""


class FrameParser:
    """Reads the frames of one client. A message may have `message_bytes`."""

    __slots__ = (
        *("_buffer", "_at", "_limit", "_opcode", "_final", "_mask", "_left", "_length"),
        *("_message", "_parts", "_size", "_decoder", "in_step"),
    )

    def __init__(self, message_bytes: int) -> None:
        self._limit = message_bytes
        self._buffer = b""
        self._at = 0
        # The frame whose header was read and whose payload was not.
        self._opcode = -1
        self._final = True
        self._mask = b""
        self._left = 0
        self._length = 0  # of its whole payload
        # The message that the frames read so far belong to.
        self._message = -1
        self._parts: list[bytes] | list[str] = []
        self._size = 0
        self._decoder: codecs.IncrementalDecoder | None = None
        self.in_step = True
        """Whether it is known where the next frame begins; not after a broken header."""

    def feed(self, data: bytes) -> None:
        """Take what the client sent next."""
        self._buffer = self._buffer[self._at :] + data if self._at < len(self._buffer) else data
        self._at = 0

    def rest(self) -> tuple[int, bytes]:
        """How much of a frame is to be skipped, and what came after that was read so far."""
        left = self._left if self._opcode >= 0 else 0
        return left, self._buffer[self._at :]

    def next(self) -> Event | None:
        """Read one frame; None if more bytes are needed. Raises `Forbidden`."""
        if self._at == len(self._buffer):
            return None
        if self._opcode < 0 and not self._begin_frame():
            return None
        opcode, left = self._opcode, self._left
        there = len(self._buffer) - self._at
        if there < left:
            if there and opcode <= BINARY and self._message == TEXT:
                # What is not UTF-8 is refused at once (8.1), not when the frame is complete.
                self._add_text(self._take(there), last=False)
            return None
        data = self._take(left)
        self._opcode = -1
        if opcode == BINARY and self._final:
            return data
        if opcode >= CLOSE:
            return self._control(opcode, data)
        if self._message == TEXT:
            return self._text(data)
        self._parts.append(data)  # type: ignore[arg-type]
        if not self._final:
            return Fragment(self._length)
        message = b"".join(self._parts)  # type: ignore[arg-type]
        self._end_message()
        return message

    def _begin_frame(self) -> bool:
        buffer, at = self._buffer, self._at
        there = len(buffer) - at
        if there < 2:
            # What the first byte forbids is forbidden without the second.
            if there:
                self._check_first(buffer[at])
            return False
        self._check_first(buffer[at])
        opcode, final, length = buffer[at] & 0x0F, buffer[at] >= 0x80, buffer[at + 1] & 0x7F
        if buffer[at + 1] < 0x80:
            raise self._broken("a client's frame without a mask")
        if opcode >= CLOSE and length > CONTROL_BYTES:
            raise self._broken("a control frame that is too long")
        at += 2
        if length >= 126:
            size = 2 if length == 126 else 8
            if there < 2 + size:
                return False
            length = int.from_bytes(buffer[at : at + size], "big")
            at += size
            if length < (126 if size == 2 else 65536):
                raise self._broken("a length in more bytes than it needs")
            if length >> 63:
                raise self._broken("a length of more than 63 bits")
        if len(buffer) < at + 4 and length <= self._limit:
            return False
        self._mask, self._at = buffer[at : at + 4], min(at + 4, len(buffer))
        self._length = length
        # Of a message that is too big, the mask may not have come.
        self._opcode, self._final, self._left = opcode, final, length + 4 - len(self._mask)
        if opcode < CLOSE:
            self._begin_data(opcode, length)
        return True

    def _check_first(self, byte: int) -> None:
        opcode = byte & 0x0F
        if byte & 0x70:
            raise self._broken("a reserved bit is set")
        if opcode not in _OPCODES:
            raise self._broken(f"the reserved opcode {opcode}")
        if opcode >= CLOSE:
            if byte < 0x80:
                raise self._broken("a control frame in fragments")
        elif (opcode == CONTINUATION) != (self._message >= 0):
            raise self._broken(
                "a continuation of nothing"
                if opcode == CONTINUATION
                else "a new message within another"
            )

    def _begin_data(self, opcode: int, length: int) -> None:
        size = self._size + length
        if size > self._limit:
            raise Forbidden(TOO_BIG, f"a message of {size} bytes", size=size)
        if opcode == BINARY and self._final:
            return
        self._size = size
        if opcode != CONTINUATION:
            self._message = opcode

    def _take(self, count: int) -> bytes:
        start = self._at
        self._at = start + count
        self._left -= count
        data = apply_mask(self._buffer[start : start + count], self._mask)
        if self._left and (turn := count % 4):
            self._mask = self._mask[turn:] + self._mask[:turn]
        return data

    def _text(self, data: bytes) -> Event:
        if self._final and self._decoder is None:
            try:
                text = data.decode()
            except UnicodeDecodeError:
                raise Forbidden(INVALID_DATA, "text that is not UTF-8") from None
        else:
            self._add_text(data, last=self._final)
            if not self._final:
                return Fragment(self._length)
            text = "".join(self._parts)  # type: ignore[arg-type]
        self._end_message()
        return text

    def _add_text(self, data: bytes, *, last: bool) -> None:
        if self._decoder is None:
            self._decoder = _UTF8()
        try:
            self._parts.append(self._decoder.decode(data, last))  # type: ignore[arg-type]
        except UnicodeDecodeError:
            raise Forbidden(INVALID_DATA, "text that is not UTF-8") from None

    def _end_message(self) -> None:
        self._message = -1
        self._parts = []
        self._size = 0
        self._decoder = None

    def _control(self, opcode: int, data: bytes) -> Event:
        if opcode == PING:
            return Ping(data)
        if opcode == PONG:
            return Pong(data)
        if not data:
            return CloseFrame(NO_CODE, "")
        if len(data) == 1:
            raise self._broken("a close frame with half a code")
        code = int.from_bytes(data[:2], "big")
        if not may_be_sent(code):
            raise self._broken(f"a close frame with the code {code}")
        try:
            return CloseFrame(code, data[2:].decode())
        except UnicodeDecodeError:
            self.in_step = False  # no other close frame follows
            raise Forbidden(INVALID_DATA, "a close reason that is not UTF-8") from None

    def _broken(self, detail: str) -> Forbidden:
        self.in_step = False
        return Forbidden(PROTOCOL_ERROR, detail)


class CloseSeeker:
    """Skips frames until the client's close frame, unread but for their headers.

    `most` frames are looked at; who sends more than that is not listened to at all.
    """

    def __init__(self, skip: int, *, most: int) -> None:
        self._skip = skip
        self._most = most
        self._header = b""
        self.found = False

    def feed(self, data: bytes) -> None:
        at, end = 0, len(data)
        while not self.found and self._most > 0:
            if self._skip:
                step = min(self._skip, end - at)
                self._skip -= step
                at += step
            if at == end:
                return
            header = self._header + data[at : at + 14 - len(self._header)]
            size = _header_size(header)
            if len(header) < size:
                self._header = header
                return
            at += size - len(self._header)
            self._header = b""
            self._most -= 1
            self.found = header[0] & 0x0F == CLOSE
            self._skip = _length(header)


def _header_size(header: bytes) -> int:
    if len(header) < 2:
        return 2
    return 2 + {126: 2, 127: 8}.get(header[1] & 0x7F, 0) + (4 if header[1] & 0x80 else 0)


def _length(header: bytes) -> int:
    length = header[1] & 0x7F
    if length < 126:
        return length
    return int.from_bytes(header[2 : 4 if length == 126 else 10], "big")


def may_be_sent(code: int) -> bool:
    """Whether a close frame may have this code (7.4; 1012 to 1014 are registered with IANA)."""
    return code in _CODES or 3000 <= code <= 4999


_CODES = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})


def frame(opcode: int, data: bytes) -> bytes:
    """An unfragmented frame, as a server sends it."""
    length = len(data)
    if length < 126:
        return bytes((0x80 | opcode, length)) + data
    if length < 65536:
        return struct.pack("!BBH", 0x80 | opcode, 126, length) + data
    return struct.pack("!BBQ", 0x80 | opcode, 127, length) + data


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; without a code if that is `NO_CODE`."""
    return frame(CLOSE, b"" if code == NO_CODE else code.to_bytes(2, "big") + reason.encode())
