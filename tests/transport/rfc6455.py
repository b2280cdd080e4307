"""What RFC 6455 allows and forbids, as a table: bytes of a client, and what they come to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from turnwire.wire.limits import MESSAGE_BYTES

MASK = b"\x37\xfa\x21\x3d"

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def masked(data: bytes, mask: bytes = MASK) -> bytes:
    size = len(data)
    repeated = (mask * (size // 4 + 1))[:size]
    # Of all bytes at once: the longest messages have a million.
    return (int.from_bytes(data) ^ int.from_bytes(repeated)).to_bytes(size)


def frame(opcode: int, data: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """A frame as a client sends it."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    length = len(data)
    if length < 126:
        head = bytes((first, 0x80 | length))
    elif length < 65536:
        head = bytes((first, 0x80 | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + length.to_bytes(8, "big")
    return head + MASK + masked(data)


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


@dataclass(frozen=True)
class Case:
    """The client sends this, each piece when the one before has been taken in."""

    name: str
    pieces: Sequence[bytes]
    answers: Sequence[tuple[int, bytes]]
    """The frames that come back before the close frame."""
    code: int | None
    """Of the close frame that comes back; None for one without a code."""
    amid_frame: bool = False
    """Whether the client breaks off within a frame, where its close frame is none."""


Answers = list[tuple[int, bytes]]


def _good(name: str, *pieces: bytes, answers: Answers) -> Case:
    return Case(name, [*pieces, close()], answers, 1000)


def _bad(
    name: str,
    *pieces: bytes,
    code: int = 1002,
    answers: Answers | None = None,
    amid_frame: bool = False,
) -> Case:
    return Case(name, pieces, answers or [], code, amid_frame)


def _framing() -> Iterator[Case]:
    for size in (0, 1, 124, 125, 126, 127, 128, 1000, 65535, 65536, MESSAGE_BYTES):
        for opcode, data in ((TEXT, b"*" * size), (BINARY, b"\xfe" * size)):
            sent = frame(opcode, data)
            yield _good(f"opcode {opcode}, {size} bytes", sent, answers=[(opcode, data)])
    text = frame(TEXT, "Grüße".encode())
    for at in range(1, len(text)):
        pieces = text[:at], text[at:]
        yield _good(f"a text cut at byte {at}", *pieces, answers=[(TEXT, "Grüße".encode())])
    long = frame(BINARY, bytes(300))
    for at in range(1, 9):
        yield _good(
            f"a long header cut at byte {at}", long[:at], long[at:], answers=[(BINARY, bytes(300))]
        )
    yield _good("two messages at once", frame(TEXT, b"a") + frame(TEXT, b"b"),
                answers=[(TEXT, b"a"), (TEXT, b"b")])  # fmt: skip
    for rsv in range(1, 8):
        for opcode in (TEXT, BINARY, PING, CLOSE):
            yield _bad(f"reserved bits {rsv} of opcode {opcode}", frame(opcode, rsv=rsv))
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield _bad(f"reserved opcode {opcode}", frame(opcode))
        yield _bad(f"reserved opcode {opcode} behind a message", frame(TEXT, b"a") + frame(opcode),
                   answers=[(TEXT, b"a")])  # fmt: skip
    for opcode in (TEXT, BINARY, PING, PONG, CLOSE):
        yield _bad(f"opcode {opcode} without a mask", bytes((0x80 | opcode, 0)))
    yield _bad("125 bytes in a length of 16 bits", b"\x82\xfe\x00\x7d" + MASK + bytes(125))
    yield _bad("65535 bytes in a length of 64 bits", b"\x82\xff" + (65535).to_bytes(8, "big"))
    yield _bad("a length of 64 bits", b"\x82\xff" + b"\xff" * 8)


def _fragments() -> Iterator[Case]:
    for opcode in (TEXT, BINARY):
        for count in (2, 3, 10):
            parts = [frame(opcode, b"ab", fin=False)]
            parts += [frame(0, b"ab", fin=False)] * (count - 2)
            parts += [frame(0, b"ab")]
            yield _good(
                f"opcode {opcode} in {count} fragments",
                b"".join(parts),
                answers=[(opcode, b"ab" * count)],
            )
            yield _good(
                f"opcode {opcode} in {count} fragments, piece by piece",
                *parts,
                answers=[(opcode, b"ab" * count)],
            )
        yield _good(
            f"opcode {opcode} in empty fragments",
            frame(opcode, fin=False) + frame(0, fin=False) + frame(0),
            answers=[(opcode, b"")],
        )
        yield _good(
            f"a ping within opcode {opcode}",
            frame(opcode, b"a", fin=False) + frame(PING, b"!") + frame(0, b"b"),
            answers=[(PONG, b"!"), (opcode, b"ab")],
        )
        yield _good(
            f"a pong within opcode {opcode}",
            frame(opcode, b"a", fin=False) + frame(PONG, b"!") + frame(0, b"b"),
            answers=[(opcode, b"ab")],
        )
        yield Case(
            f"a close within opcode {opcode}", [frame(opcode, b"a", fin=False), close()], [], 1000
        )
        for other in (TEXT, BINARY):
            for fin in (True, False):
                yield _bad(
                    f"opcode {other}, {fin=}, within opcode {opcode}",
                    frame(opcode, b"a", fin=False) + frame(other, b"b", fin=fin),
                )
    for fin in (True, False):
        yield _bad(f"a continuation of nothing, {fin=}", frame(0, b"a", fin=fin))
        yield _bad(
            f"a continuation behind a whole message, {fin=}",
            frame(TEXT, b"a") + frame(0, b"b", fin=fin),
            answers=[(TEXT, b"a")],
        )


def _control() -> Iterator[Case]:
    for size in (0, 1, 2, 60, 124, 125):
        yield _good(f"a ping of {size}", frame(PING, b"p" * size), answers=[(PONG, b"p" * size)])
        yield _good(f"a pong of {size}", frame(PONG, b"p" * size), answers=[])
    ping = frame(PING, b"payload")
    for at in range(1, len(ping)):
        yield _good(f"a ping cut at byte {at}", ping[:at], ping[at:], answers=[(PONG, b"payload")])
    for opcode in (PING, PONG, CLOSE):
        yield _bad(f"opcode {opcode} of 126 bytes", frame(opcode, bytes(126)))
        yield _bad(f"opcode {opcode} of 65536 bytes", frame(opcode, bytes(65536)))
        yield _bad(f"opcode {opcode} in fragments", frame(opcode, b"", fin=False))


VALID_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014)
INVALID_CODES = (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)


def _closes() -> Iterator[Case]:
    yield Case("a close without a code", [close(None)], [], None)
    for code in (*VALID_CODES, 3000, 3999, 4000, 4999):
        yield Case(f"close {code}", [close(code)], [], code)
    for code in INVALID_CODES:
        yield _bad(f"close {code}", close(code))
    yield Case("a close with a reason", [close(1000, "tschüß".encode())], [], 1000)
    yield Case("a close with the longest reason", [close(1000, b"r" * 123)], [], 1000)
    yield _bad("half a close code", frame(CLOSE, b"\x03"))
    yield _bad("a close reason that is not UTF-8", close(1000, b"\xff"), code=1007)
    yield Case("frames behind a close", [close() + frame(TEXT, b"a") + frame(3)], [], 1000)


INVALID_UTF8 = (
    b"\x80",
    b"\xbf",
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xc3",
    b"\xc3\x28",
    b"\xe0\x80\xaf",
    b"\xe2\x82",
    b"\xe2\x28\xa1",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf0\x80\x80\x80",
    b"\xf0\x9f\x98",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xfe",
    b"\xff",
    b"ok\xffok",
)


def _utf8() -> Iterator[Case]:
    text = "κόσμε €\U0001f600\uffff\U0010ffff".encode()
    for at in range(1, len(text)):
        yield _good(
            f"UTF-8 in two fragments, cut at byte {at}",
            frame(TEXT, text[:at], fin=False) + frame(0, text[at:]),
            answers=[(TEXT, text)],
        )
    bytewise = [frame(TEXT, text[:1], fin=False)]
    bytewise += [frame(0, text[at : at + 1], fin=False) for at in range(1, len(text))]
    yield _good("UTF-8 byte by byte", b"".join(bytewise) + frame(0), answers=[(TEXT, text)])
    for data in INVALID_UTF8:
        yield _bad(f"not UTF-8: {data.hex()}", frame(TEXT, data), code=1007)
        yield _bad(
            f"not UTF-8 in fragments: {data.hex()}",
            *(frame(TEXT, data[:1], fin=False), frame(0, data[1:])),
            code=1007,
        )
    # What cannot become UTF-8 any more is refused before its frame is complete.
    yield _bad(
        "not UTF-8 amid a frame",
        frame(TEXT, b"\xce\xba\xff" + b"a" * 50)[:12],
        code=1007,
        amid_frame=True,
    )
    yield _bad("not UTF-8 amid a message", frame(TEXT, b"\xf4\x90", fin=False), code=1007)


def _limits() -> Iterator[Case]:
    size = MESSAGE_BYTES + 1
    for opcode in (TEXT, BINARY):
        yield _bad(f"opcode {opcode}, one byte too long", frame(opcode, b"a" * size), code=1009)
        yield _bad(
            f"opcode {opcode}, too long in fragments",
            frame(opcode, b"a" * (size - 1), fin=False) + frame(0, b"a"),
            code=1009,
        )
        yield _bad(
            f"opcode {opcode}, a terabyte announced",
            bytes((0x80 | opcode, 0xFF)) + (1 << 40).to_bytes(8, "big") + MASK,
            code=1009,
            amid_frame=True,
        )
    yield _bad("too many pings", frame(PING) * 501, code=1008, answers=[(PONG, b"")] * 500)
    yield _bad("too many pongs", frame(PONG) * 501, code=1008)
    yield _bad(
        "too many empty fragments",
        frame(BINARY, fin=False) + frame(0, fin=False) * 500,
        code=1008,
    )
    yield _bad(
        "too many tiny fragments",
        frame(BINARY, b"a", fin=False) + frame(0, b"a", fin=False) * 500,
        code=1008,
    )
    yield _bad(
        "too many empty messages", frame(BINARY) * 501, code=1008, answers=[(BINARY, b"")] * 500
    )
    yield _bad("too many texts", frame(TEXT, b"a") * 501, code=1008, answers=[(TEXT, b"a")] * 500)


CASES = [*_framing(), *_fragments(), *_control(), *_closes(), *_utf8(), *_limits()]
