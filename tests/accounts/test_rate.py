import time

import pytest

from turnwire.accounts.rate import limit_after


def test_a_limit_that_is_used_grows_by_a_tenth_each_minute() -> None:
    limits = [100]
    for _ in range(5):
        limits.append(limit_after(limits[-1], limits[-1], 1, start=100))
    assert limits == [100, 110, 121, 133, 146, 161]


@pytest.mark.parametrize(
    ("used", "then"),
    [
        (200, 220),
        (140, 220),
        (139, 200),
        (100, 200),
        (99, 180),
        (0, 180),
    ],
)
def test_what_follows_from_the_share_that_was_used(used: int, then: int) -> None:
    assert limit_after(200, used, 1, start=100) == then


def test_it_stays_within_its_minute() -> None:
    assert limit_after(121, 121, 0, start=100) == 121


def test_it_never_falls_below_its_start() -> None:
    assert limit_after(105, 0, 1, start=100) == 100
    assert limit_after(100, 0, 1, start=100) == 100


def test_minutes_in_between_were_idle() -> None:
    # Up by a tenth for the minute that was used, then down twice.
    assert limit_after(200, 200, 3, start=100) == 178
    assert limit_after(200, 120, 3, start=100) == 162


@pytest.mark.parametrize("limit", range(1, 10))
def test_the_smallest_limits_grow_too(limit: int) -> None:
    assert limit_after(limit, limit, 1, start=1) == limit + 1


def test_the_longest_gap_takes_no_time() -> None:
    begun = time.perf_counter()
    assert limit_after(10**9, 0, 10**12, start=5) == 5
    assert time.perf_counter() - begun < 0.1
