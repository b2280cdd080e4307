"""What is read from a client's record of its session."""

from array import array
from pathlib import Path

import pytest

from turnwire.bench.clips import Clip
from turnwire.bench.measuring import Spread, judge
from turnwire.bench.player import Take
from turnwire.bench.session_audio import Passage, SessionAudio
from turnwire.wire.messages import Turn, Word

DELAY = 0.01
"""The audio of each frame ends so long before it is sent."""

FIRST = Clip(Path("first"), "one two", 16_000, [b""] * 40)
SECOND = Clip(Path("second"), "three", 16_000, [b""] * 20)


def audio() -> SessionAudio:
    """Two seconds of a clip, two of silence, one of another clip, and a half of the first."""
    return SessionAudio(
        16_000,
        [
            Passage(FIRST, FIRST.frames, whole=True),
            Passage(None, [b""] * 40, whole=False),
            Passage(SECOND, SECOND.frames, whole=True),
            Passage(FIRST, FIRST.frames[:20], whole=False),
        ],
    )


def take(*messages: tuple[float, Turn], seconds: float = 6.0) -> Take:
    """A session that began at 10 s, and whose first sample is of that moment."""
    sent = array("d", (10 + (n + 1) / 20 + DELAY for n in range(round(seconds * 20))))
    return Take(
        audio=audio(),
        asked=9.9,
        begun=9.95,
        sent=sent,
        messages=[(10 + at, turn.to_json()) for at, turn in messages],
        terminated=10 + seconds,
        closed=10 + seconds + 0.2,
        code=1000,
    )


def turn(
    *words: tuple[str, int, int],
    order: int = 0,
    ended: bool = False,
    formatted: bool = False,
    final: int | None = None,
    confidence: float = 0.9,
) -> Turn:
    return Turn(
        turn_order=order,
        turn_is_formatted=formatted,
        end_of_turn=ended,
        transcript="",
        end_of_turn_confidence=confidence,
        words=tuple(
            Word(
                text=text,
                start=start,
                end=end,
                confidence=1.0,
                word_is_final=final is None or index < final,
            )
            for index, (text, start, end) in enumerate(words)
        ),
    )


ONE = ("one", 210, 400)
TWO = ("two", 500, 800)


def ends(*words: tuple[str, int, int], order: int = 0, confidence: float = 0.9) -> Turn:
    return turn(*words, order=order, ended=True, formatted=True, confidence=confidence)


def ms(seconds: list[float]) -> list[float]:
    return [round(1000 * each) for each in seconds]


def test_every_time_is_counted_from_when_its_audio_had_been_sent() -> None:
    times = judge(
        take(
            (0.7, turn(ONE, final=0)),
            (0.8, turn(ONE, final=1)),
            (1.0, turn(ONE, TWO, final=1)),
            (1.4, turn(ONE, TWO, ended=True)),
            (1.5, ends(("One", 210, 400), ("two.", 500, 800))),
        )
    ).times
    assert ms(times.begin) == [50]
    # A frame of 50 ms is sent when it is over: what begins at 210 ms went out at 250.
    assert ms(times.first_words) == [700 - 250 - 10]
    # The second message brought no new word.
    assert ms(times.partial_lag) == [700 - 400 - 10, 1000 - 800 - 10]
    # The formatted end counts. The turn was complete, so 400 ms of silence were asked for.
    assert ms(times.final) == [1500 - 800 - 10]
    assert ms(times.beyond) == [1500 - 1200 - 10]
    assert ms(times.close) == [200]


def test_a_turn_that_did_not_seem_complete_has_the_longer_silence() -> None:
    times = judge(take((2.5, ends(ONE, confidence=0.39)))).times
    assert ms(times.beyond) == [2500 - 1700 - 10]


def test_a_turn_that_terminate_ended_had_no_silence() -> None:
    times = judge(take((6.1, ends(("end", 5300, 5700), order=1)))).times
    assert (times.final, times.beyond) == ([], [])
    assert ms(times.first_words) == [6100 - 5300 - 10]


def test_words_belong_to_clips_by_their_middle() -> None:
    heard = judge(
        take(
            (2.5, ends(("One", 210, 400), ("two", 1900, 2099))),
            (3.0, ends(("well", 2000, 2400), order=1)),
            (6.0, ends(("three", 3990, 4600), ("four", 5300, 5600), order=2)),
        )
    ).heard
    # What is heard in the silence is of the clip before; the last clip was not played in full.
    assert heard == ((FIRST, "One two well"), (SECOND, "three"))


def test_a_clip_that_was_not_sent_in_full_does_not_count() -> None:
    assert judge(take((2.5, ends(ONE)), seconds=4.5)).heard == ((FIRST, "one"),)


def test_final_words_that_change_are_counted() -> None:
    judged = judge(
        take(
            (1.0, turn(ONE, TWO, final=1)),
            (1.2, turn(("won", 210, 400), TWO, final=2)),
            (1.5, ends(("Won", 210, 400))),
            (3.0, turn(("new", 2500, 2900), order=1)),
        )
    )
    assert (judged.final_words, judged.changed) == (3, 2)


def test_how_much_of_live_text_is_not_final() -> None:
    judged = judge(
        take(
            (0.7, turn(ONE, final=0)),
            (1.0, turn(ONE, TWO, final=0)),
            (1.2, turn(ONE, TWO, final=1)),
            (1.3, turn(ONE, TWO, final=2)),
            (1.5, ends(ONE, TWO)),
        )
    )
    assert ms(judged.times.not_final) == [190, 590, 300, 0]
    assert judged.without_final == 2


def test_a_session_in_real_time() -> None:
    assert judge(take((1.5, ends(ONE)))).missed is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"begun": None, "code": None}, "did not begin"),
        ({"begun": None, "code": 1013}, "did not begin (1013)"),
        ({"terminated": None, "code": 1013}, "ended early (1013)"),
        ({"terminated": None, "code": None}, "ended early (no close frame)"),
        ({"code": 3005}, "did not end well (3005)"),
        ({"stalled": True}, "could not send"),
        ({"closed": 21.1}, "the end came late"),
    ],
)
def test_why_a_session_missed_real_time(changes: dict[str, object], why: str) -> None:
    missed = take((1.5, ends(ONE)))
    for name, value in changes.items():
        setattr(missed, name, value)
    assert judge(missed).missed == why


def test_a_turn_that_ends_late_is_missed() -> None:
    assert judge(take((1.85, ends(ONE)))).missed == "a turn ended late"


def test_a_session_that_never_began_has_nothing_to_be_read() -> None:
    judged = judge(Take(audio(), asked=0.0))
    assert (judged.times.close, judged.heard, judged.missed) == ([], (), "did not begin")


def test_a_spread() -> None:
    spread = Spread.of([n / 1000 for n in range(101)])
    assert spread == Spread(count=101, p50=50.0, p95=95.0, p99=99.0, most=100.0)
    assert Spread.of([]) is None
    assert Spread.of([0.25]) == Spread(1, 250.0, 250.0, 250.0, 250.0)
