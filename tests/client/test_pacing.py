import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from turnwire.client import cut, paced
from turnwire.client.pace import MOST_AHEAD_SECONDS, Pace
from turnwire.clock import Timer
from turnwire.session.pace import Pace as ServerPace


class InventedClock:
    """Time that passes only when somebody sleeps, or when a test says so."""

    def __init__(self) -> None:
        self.time = 100.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def unix_time(self) -> float:
        return 1_800_000_000 + self.time

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        self.slept.append(round(when - self.time, 6))
        self.time = when
        return asyncio.get_running_loop().call_soon(call)


async def source(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_pieces_of_any_length_become_chunks_of_one() -> None:
    audio = bytes(range(256)) * 25  # 200 ms at 16 kHz
    pieces = [audio[:7], audio[7:5000], audio[5000:]]
    chunks = [chunk async for chunk in cut(pieces, sample_rate=16_000)]
    assert [len(chunk) for chunk in chunks] == [3200, 3200]
    assert b"".join(chunks) == audio
    assert chunks == [chunk async for chunk in cut(source(*pieces), sample_rate=16_000)]


@pytest.mark.parametrize(
    ("rest", "padded"),
    [
        (b"", []),
        (b"\1", []),
        (b"\1\1", [b"\1\1" + b"\0" * 1598]),
        (b"\1" * 1601, [b"\1" * 1600]),
        (b"\1" * 3199, [b"\1" * 3198]),
    ],
)
async def test_the_last_chunk_lasts_50_ms_at_least(rest: bytes, padded: list[bytes]) -> None:
    chunks = [chunk async for chunk in cut([b"\1" * 3200 + rest], sample_rate=16_000)]
    assert chunks == [b"\1" * 3200, *padded]


async def test_a_rate_that_50_ms_do_not_divide_evenly() -> None:
    chunks = [chunk async for chunk in cut([b"\1" * 4410], sample_rate=22_050, chunk_ms=50)]
    assert [len(chunk) / 2 / 22.05 >= 50 for chunk in chunks] == [True, True]


async def test_a_chunk_is_due_when_its_last_sample_would_have_been_spoken() -> None:
    clock = InventedClock()
    sent = []
    chunks = source(bytes(3200), bytes(3200), bytes(1600))
    async for chunk in paced(chunks, sample_rate=16_000, clock=clock):
        sent.append((len(chunk), round(clock.time - 100, 6)))
    assert sent == [(3200, 0.1), (3200, 0.2), (1600, 0.25)]


async def test_time_lost_on_the_way_is_made_up_for() -> None:
    clock = InventedClock()
    lost = iter([0.0, 0.25, 0.0, 0.0, 0.0])
    async for _ in paced(source(*[bytes(3200)] * 5), sample_rate=16_000, clock=clock):
        clock.time += next(lost)
    assert clock.slept == [0.1, 0.1, 0.05]
    assert clock.time == pytest.approx(100.5)


async def test_the_loop_keeps_time_where_nothing_else_does() -> None:
    assert [c async for c in paced(source(bytes(64)), sample_rate=16_000)] == [bytes(64)]


@pytest.mark.parametrize("strict", [False, True])
def test_a_session_is_never_sent_more_than_servers_take(strict: bool) -> None:
    """A source without end, at once: what the server counts stays within its allowance."""
    pace, server = Pace(strict=strict), ServerPace(allowance=2 if strict else 150)
    now = 100.0
    for _ in range(2000):
        now = max(now, pace.due())
        pace.sent(1.0, now)
        server.receive(1.0, now)
        assert not server.exceeded
    assert pace.ahead(now) <= (2 if strict else MOST_AHEAD_SECONDS + 1)
    if not strict:
        assert now - 100 < 2000 - MOST_AHEAD_SECONDS + 2, "it catches up"


def test_a_pause_gives_no_more_than_the_burst() -> None:
    pace = Pace()
    pace.sent(1.0, 0.0)
    for _ in range(61):
        assert pace.due() <= 3600
        pace.sent(1.0, 3600.0)
    assert pace.due() > 3600
