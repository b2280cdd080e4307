"""Whatever bytes a client sends, frames come of them, or one of the ends that RFC 6455 has.

    python -m tests.transport.test_fuzz 10000000

tries so many frames, as a campaign. A seed after that, as a test that failed has said it, tries
the same ones again.
"""

import random
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.transport.rfc6455 import frame
from turnwire.transport.frames import CloseSeeker, Event, Forbidden, FrameParser

PARTS = 100
"""Each with a seed of its own. As a file of many tests starts early, nobody waits for this one."""

FRAMES = 4000
"""In each part, so that all take a minute on a slow machine."""

MESSAGE_BYTES = 400
"""Less than in earnest, so that messages are too long now and then."""


def client_bytes(rng: random.Random) -> tuple[int, bytes]:
    """Some frames, a few of their bytes changed: how many, and what they are."""
    count = rng.randrange(1, 20)
    sent = bytearray()
    for _ in range(count):
        opcode = rng.choice([0, 1, 1, 2, 2, 8, 9, 10, rng.randrange(16)])
        text = rng.choice(["", "a", "é€\U0001f600" * rng.randrange(50)]).encode()
        data = text if opcode == 1 else rng.randbytes(rng.choice([0, 1, 2, 125, 126, 300]))
        sent += frame(opcode, data, fin=rng.random() < 0.8, rsv=rng.choice([0] * 20 + [1, 4]))
    for _ in range(rng.choice([0, 0, 1, 3])):
        sent[rng.randrange(len(sent))] = rng.randrange(256)
    return count, bytes(sent)


def pieces(rng: random.Random, data: bytes) -> Iterator[bytes]:
    while data:
        size = rng.choice([1, 2, 7, 100, 1000])
        yield data[:size]
        data = data[size:]


def parsed(chunks: Iterator[bytes]) -> tuple[list[Event], int | None]:
    """What comes of these bytes, and the code that they are refused with."""
    parser, events = FrameParser(MESSAGE_BYTES), []
    try:
        for chunk in chunks:
            parser.feed(chunk)
            while (event := parser.next()) is not None:
                events.append(event)
    except Forbidden as forbidden:
        if parser.in_step:
            # Its close frame is still found behind what is left of the frame.
            skip, rest = parser.rest()
            seeker = CloseSeeker(skip, most=1000)
            seeker.feed(rest)
        return events, forbidden.code
    return events, None


def campaign(seed: int, frames: int) -> Counter[int | None]:
    """Try so many frames; counts how connections end."""
    sys.stdout.write(f"seed {seed}\n")  # pytest shows it where a test fails
    rng = random.Random(seed)
    ends: Counter[int | None] = Counter()
    while frames > 0:
        count, data = client_bytes(rng)
        frames -= count
        whole = parsed(iter([data]))
        # However the bytes are cut, the same comes of them.
        assert parsed(pieces(rng, data)) == whole
        ends[whole[1]] += 1
    return ends


def any_seed() -> int:
    return random.SystemRandom().randrange(2**32)


@pytest.mark.parametrize("part", range(PARTS))
def test_what_comes_of_bytes_does_not_depend_on_how_they_are_cut(part: int) -> None:
    assert campaign(any_seed(), FRAMES).keys() <= {None, 1002, 1007, 1009}


def test_all_ends_come_up() -> None:
    assert campaign(6455, FRAMES).keys() == {None, 1002, 1007, 1009}


if __name__ == "__main__":
    frames, *seed = map(int, sys.argv[1:])
    sys.stdout.write(f"{dict(campaign(seed[0] if seed else any_seed(), frames))}\n")
