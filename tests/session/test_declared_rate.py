"""Whether live audio is what was declared: told by its pace, and never told wrongly."""

import random
from collections.abc import Iterator

import pytest

from turnwire.session.declared_rate import COMMON_RATES, RateWatch

Arrivals = Iterator[tuple[float, float]]
"""Chunks: how long each lasts as declared, and when it comes, in seconds."""


def live(pace: float, *, chunk: float = 0.05, jitter: float = 0.0, seconds: float = 60) -> Arrivals:
    """A microphone's audio in chunks of `chunk` by its own clock, each up to `jitter` late."""
    rng = random.Random(5)
    for count in range(int(seconds / chunk)):
        yield chunk * pace, count * chunk + rng.random() * jitter


def found(arrivals: Arrivals, rate: int = 16_000) -> list[tuple[float, int]]:
    watch = RateWatch(rate)
    results = (watch.receive(seconds, now) for seconds, now in arrivals)
    return [result for result in results if result is not None]


@pytest.mark.parametrize(
    ("declared", "actual"),
    [
        (16_000, 8_000),
        (16_000, 48_000),
        (16_000, 32_000),
        (16_000, 24_000),
        (16_000, 44_100),
        (8_000, 16_000),
        (44_100, 48_000),
        (48_000, 16_000),
    ],
)
@pytest.mark.parametrize("jitter", [0.0, 0.015])
def test_a_wrong_rate_is_found_within_seconds(declared: int, actual: int, jitter: float) -> None:
    arrivals = list(live(actual / declared, jitter=jitter, seconds=8))
    [(pace, likely)] = found(iter(arrivals), declared)
    assert likely == actual
    assert pace == pytest.approx(actual / declared, rel=0.03)


def test_two_channels_look_like_twice_the_rate() -> None:
    [(_, likely)] = found(live(2.0, seconds=8))
    assert likely == 32_000


def test_what_is_right_is_no_longer_watched() -> None:
    right_then_wrong = [*live(1.0, seconds=6), *((s, t + 6) for s, t in live(0.5, seconds=20))]
    assert found(iter(right_then_wrong)) == []


def jittery() -> Arrivals:
    return live(1.0, jitter=0.2)


def drifting() -> Arrivals:
    return live(1.002)


def bursts() -> Arrivals:
    """A second of audio at a time, twenty chunks at once."""
    for second in range(60):
        for _ in range(20):
            yield 0.05, float(second + 1)


def file_at_once() -> Arrivals:
    for count in range(2000):
        yield 0.1, count * 0.001


def file_held_up() -> Arrivals:
    """As fast as it is taken: at once, then as fast as the engine can."""
    rng = random.Random(7)
    now = 0.0
    for count in range(3000):
        now += 0.001 if count < 600 else rng.uniform(0.005, 0.05)
        yield 0.1, now


def catching_up() -> Arrivals:
    """Live, cut off for 10 s, then all that was kept."""
    for count in range(1200):
        due = count * 0.05
        yield 0.05, max(due, 12.0 + (due - 2.0) / 50) if 2.0 < due < 12.0 else due


def dropped(share: float) -> Arrivals:
    """A part of the chunks never comes."""
    rng = random.Random(9)
    return ((s, t) for s, t in live(1.0) if rng.random() >= share)


def lossy(rate: int) -> Arrivals:
    """As much is lost as would make it look like the next lower rate."""
    lower = max(each for each in COMMON_RATES if each < rate)
    return dropped(1 - lower / rate)


def push_to_talk() -> Arrivals:
    """Half of the time nothing is sent."""
    return ((s, t) for s, t in live(1.0) if t % 2 < 1)


@pytest.mark.parametrize(
    "arrivals",
    [
        jittery(),
        drifting(),
        bursts(),
        file_at_once(),
        file_held_up(),
        catching_up(),
        dropped(0.1),
        dropped(1 / 3),
        dropped(0.5),
        push_to_talk(),
        live(1.0, jitter=0.03),
        live(1.15),
        live(1.25),
    ],
)
def test_nothing_else_is_taken_for_a_wrong_rate(arrivals: Arrivals) -> None:
    assert found(arrivals) == []


@pytest.mark.parametrize("rate", COMMON_RATES[1:])
def test_loss_is_not_taken_for_a_lower_rate(rate: int) -> None:
    assert found(lossy(rate), rate) == []


def test_a_watch_ends_and_keeps_little() -> None:
    watch = RateWatch(16_000)
    for seconds, now in bursts():
        watch.receive(seconds, now)
        assert len(watch._chunks or []) <= 600
    watch.receive(0.05, 70.0)
    watch.receive(0.05, 80.0)
    assert watch._chunks is None
