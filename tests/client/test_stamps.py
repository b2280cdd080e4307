"""What a clock makes of time stamps, in seconds."""

import pytest

from turnwire.client.stamps import LONGEST_HOLE_SECONDS, StampClock

FRAME = 0.02


def followed(stamps: list[float], length: float | None = None) -> tuple[list[float], int]:
    """The silence before each frame of 20 ms (negative: what is cut), and how many were wild."""
    clock, position, silences = StampClock(length), 0.0, []
    for at, stamp in enumerate(stamps):
        following = stamps[at + 1] if at + 1 < len(stamps) else None
        silence = clock.silence_before(stamp, FRAME, following, position)
        position += max(silence + FRAME, 0.0)
        silences.append(round(silence, 3) + 0.0)
    return silences, clock.wild


def run(start: float, count: int = 3) -> list[float]:
    return [start + FRAME * n for n in range(count)]


def test_stamps_that_only_jitter_are_not_followed() -> None:
    assert followed([0.0, 0.021, 0.039, 0.06, 0.1]) == ([0.0] * 5, 0)


def test_a_hole_is_silence() -> None:
    assert followed(run(0) + run(5)) == ([0, 0, 0, 4.94, 0, 0], 0)


def test_a_late_beginning_is_silence() -> None:
    assert followed(run(4)) == ([4, 0, 0], 0)


def test_what_overlaps_is_cut_until_it_is_new() -> None:
    stamps = [n * FRAME for n in range(100)]
    silences, wild = followed(stamps[:60] + stamps[50:])
    assert silences[60:72] == [*(round(-0.02 * n, 3) for n in range(10, 0, -1)), 0, 0]
    assert wild == 0


@pytest.mark.parametrize("stamp", [90_000.0, 1.5, -3.0])
def test_one_stamp_that_the_next_does_not_confirm_is_ignored(stamp: float) -> None:
    assert followed([*run(0), stamp, *run(0.08)], length=60) == ([0.0] * 7, 1)


def test_a_jump_beyond_the_declared_end_sets_the_clock_anew() -> None:
    silences, wild = followed(run(0) + run(50_000) + run(50_001), length=10)
    assert silences == [0, 0, 0, 0, 0, 0, 0.94, 0, 0]
    assert wild == 1


def test_a_jump_of_hours_is_not_believed_where_no_end_is_declared() -> None:
    assert followed(run(0) + run(LONGEST_HOLE_SECONDS + 1)) == ([0] * 6, 1)


def test_a_clock_that_begins_again_goes_on_without_a_gap() -> None:
    stamps = [n * FRAME for n in range(100)]
    assert followed(stamps + stamps) == ([0.0] * 200, 1)


def test_a_frame_without_a_stamp_follows_the_one_before() -> None:
    assert StampClock(None).silence_before(None, FRAME, None, 7) == 0
