"""What is decoded next, without decoders, threads and clocks."""

from dataclasses import replace

import numpy as np
import pytest

from tests.speech.counting import GUIDANCE, NEVER, WORD_MS, Counter, loud, quiet
from turnwire.recognition import Finished, Marked, Partial, Pause, SpeechStarted
from turnwire.speech.decoding import MS, RATE, DecodedWord, Text
from turnwire.speech.engine import Samples
from turnwire.speech.planner import (
    BURST_DUE_SECONDS,
    FINAL_DUE_SECONDS,
    Ask,
    Planner,
    Situation,
    Step,
    Wait,
)
from turnwire.speech.quality import FULL, LADDER
from turnwire.speech.voice import FRAME
from turnwire.speech.window import PlannedDecode

NO_PARTIALS = next(quality for quality in LADDER if quality.partial_ms is None)
NO_SHORT_PAUSES = next(quality for quality in LADDER if not quality.short_pauses)
NOW = Situation(at=100.0, more=False, quality=FULL)


def add(planner: Planner, *audio: Samples, live: bool = True, came: float = 0.0) -> None:
    """Audio as a stream adds it; whole frames, of which those that are not quiet are a voice."""
    samples = np.concatenate(audio)
    samples = samples[: len(samples) // FRAME * FRAME]
    voices = [float(frame.any()) for frame in samples.reshape(-1, FRAME)]
    planner.add(samples, voices, 0.5, came, live)


def steps(planner: Planner, now: Situation = NOW) -> list[Step]:
    """The next steps, up to the one that is a decode or that waits."""
    found = [planner.next(now)]
    while not isinstance(found[-1], PlannedDecode | Wait):
        found.append(planner.next(now))
    return found


def last(planner: Planner, now: Situation = NOW) -> Step:
    return steps(planner, now)[-1]


def begun(planner: Planner, now: Situation = NOW) -> PlannedDecode:
    """The next decode, which has to be a partial one, under way."""
    plan = last(planner, now)
    assert isinstance(plan, PlannedDecode)
    assert not plan.final
    planner.begin(plan)
    return plan


@pytest.fixture
def planner() -> Planner:
    return Planner(GUIDANCE)


def test_no_partial_text_is_made_of_audio_that_is_followed_by_more(planner: Planner) -> None:
    add(planner, loud(4))
    assert last(planner, replace(NOW, more=True)) is Wait.AUDIO
    add(planner, loud(4, first=5))
    assert begun(planner).end == 8 * WORD_MS * MS


def test_a_pause_does_not_wait_for_a_partial_text_that_is_under_way(planner: Planner) -> None:
    add(planner, loud(4))
    partial = begun(planner)
    add(planner, loud(1, first=5), quiet(320), came=7.0)
    final = last(planner)
    assert isinstance(final, PlannedDecode)
    assert (final.final, final.due) == (True, 7.0 + FINAL_DUE_SECONDS)
    assert planner.under_way is None
    assert planner.take(partial, Counter().decode(partial.job)) is None


def test_speech_goes_on_without_the_partial_text_that_is_under_way(planner: Planner) -> None:
    add(planner, loud(4))
    begun(planner)
    add(planner, loud(8, first=5))
    assert last(planner) is Wait.AUDIO
    assert begun(planner, replace(NOW, queued=True)).end == 12 * WORD_MS * MS


def test_audio_that_comes_at_once_waits_for_its_partial_texts(planner: Planner) -> None:
    add(planner, loud(8), quiet(320), live=False)
    partial = begun(planner, replace(NOW, more=True))
    assert last(planner) is Wait.OUTCOME
    assert isinstance(planner.take(partial, Counter().decode(partial.job)), Partial)
    second = begun(planner)
    assert last(planner) is Wait.OUTCOME
    planner.take(second, Counter().decode(second.job))
    final = last(planner)
    assert isinstance(final, PlannedDecode)
    assert (final.final, final.due) == (True, NOW.at + BURST_DUE_SECONDS)


def test_of_a_recording_no_partial_text_is_made_and_the_final_one_has_time() -> None:
    planner = Planner(replace(GUIDANCE, recording=True))
    add(planner, loud(32), quiet(320))
    assert isinstance(planner.next(NOW), SpeechStarted)
    final = last(planner, replace(NOW, more=True))
    assert isinstance(final, PlannedDecode)
    assert final.final
    assert final.due == NOW.at + len(final.job.window) / RATE
    assert 8 < len(final.job.window) / RATE < 9


def test_the_last_words_of_a_recording_are_due_at_once() -> None:
    planner = Planner(replace(GUIDANCE, recording=True))
    add(planner, loud(32), quiet(320))
    planner.hurry()
    final = last(planner, replace(NOW, more=True))
    assert isinstance(final, PlannedDecode)
    assert final.due == NOW.at


def test_the_words_of_a_pause_are_those_of_the_final_decode(planner: Planner) -> None:
    add(planner, loud(4), quiet(320))
    started, final = steps(planner)
    assert isinstance(started, SpeechStarted)
    assert isinstance(final, PlannedDecode)
    assert planner.take(final, Counter().decode(final.job)) is None
    pause = planner.next(NOW)
    assert isinstance(pause, Pause)
    assert [word.text for word in pause.words] == ["1", "2", "3", "4"]


def test_what_final_texts_leave_is_decoded_three_times_at_a_pause_and_due_when_asked_for() -> None:
    planner = Planner(replace(GUIDANCE, first_partial=NEVER))
    word = Text((DecodedWord("you", 0, 240, 0.9, (1,)),), 0.2)
    for came in (20.0, 40.0):
        add(planner, loud(20), quiet(320), came=came)
        due = []
        while isinstance(final := last(planner, replace(NOW, at=came + 1)), PlannedDecode):
            due.append(final.due)
            planner.take(final, word)
        rest = came + 1 + FINAL_DUE_SECONDS
        assert due == [came + FINAL_DUE_SECONDS, rest, rest, rest]


@pytest.mark.parametrize(
    ("words", "pause", "completeness", "joined", "parted"),
    [
        (1, 416, 0.1, False, True),
        (1, 320, 0.1, False, False),
        (1, 416, 0.01, False, False),
        (1, 416, 0.1, True, False),
        (2, 416, 0.1, False, False),
    ],
)
def test_a_lone_word_that_may_be_a_sentence_is_not_decoded_with_what_follows_a_pause(
    planner: Planner, words: int, pause: int, completeness: float, joined: bool, parted: bool
) -> None:
    add(planner, quiet(320), loud(words), quiet(pause))
    first = last(planner)
    assert isinstance(first, PlannedDecode)
    text = Counter().decode(first.job)
    said = tuple(replace(word, joined=joined) for word in text.words)
    planner.take(first, Text(said, completeness))
    assert last(planner) is Wait.AUDIO
    add(planner, loud(1, first=9), quiet(320))
    second = last(planner)
    assert isinstance(second, PlannedDecode)
    assert (second.start > first.start) is parted


def test_what_follows_a_cut_amid_speech_is_no_lone_word(planner: Planner) -> None:
    add(planner, quiet(320), loud(4))
    partial = begun(planner)
    planner.take(partial, Counter().decode(partial.job))
    planner.cut()
    add(planner, loud(1, first=5), quiet(416))
    first = last(planner)
    assert isinstance(first, PlannedDecode)
    assert [word.text for word in Counter().decode(first.job).words] == ["5"]
    planner.take(first, Counter().decode(first.job))
    assert last(planner) is Wait.AUDIO
    add(planner, loud(1, first=9), quiet(320))
    second = last(planner)
    assert isinstance(second, PlannedDecode)
    assert second.start == first.start


@pytest.mark.parametrize(
    ("least_pause", "live", "at_once"),
    # What comes faster than it is spoken is heard the same, whatever there is to do.
    [(0, True, True), (100, True, True), (400, True, False), (400, False, True)],
)
def test_with_too_much_to_do_a_pause_of_no_use_is_not_heard_for_good(
    least_pause: int, live: bool, at_once: bool
) -> None:
    options = replace(GUIDANCE, least_pause=least_pause, first_partial=NEVER)
    planner = Planner(options)
    add(planner, loud(4), quiet(320), live=live)
    assert isinstance(last(planner), PlannedDecode)
    planner = Planner(options)
    add(planner, loud(4), quiet(320), live=live)
    busy = replace(NOW, quality=NO_SHORT_PAUSES)
    assert isinstance(last(planner, busy), PlannedDecode) is at_once
    if not at_once:
        add(planner, quiet(96))
        final = last(planner, busy)
        assert isinstance(final, PlannedDecode)
        assert final.final


def test_a_pause_that_ends_an_utterance_is_heard_whatever_the_session_asks_for() -> None:
    planner = Planner(replace(GUIDANCE, least_pause=2000))
    add(planner, loud(4), quiet(512))
    final = last(planner, replace(NOW, quality=NO_SHORT_PAUSES))
    assert isinstance(final, PlannedDecode)
    assert final.final


@pytest.mark.parametrize("recording", [False, True])
def test_without_partial_texts_a_long_window_is_shortened_all_the_same(recording: bool) -> None:
    planner = Planner(replace(GUIDANCE, recording=recording))
    now = NOW if recording else replace(NOW, quality=NO_PARTIALS)
    audio = loud(120)
    for start in range(0, len(audio), FRAME * 32):
        assert len(audio[:start]) < 16 * RATE
        add(planner, audio[start : start + FRAME * 32], came=start / RATE)
        step = last(planner, now)
        if isinstance(step, PlannedDecode):
            break
    assert isinstance(step, PlannedDecode)
    assert not step.final
    window = len(step.job.window) / RATE
    assert step.due == (NOW.at + window if recording else start / RATE + FINAL_DUE_SECONDS)


def test_what_is_asked_for_is_answered_where_the_audio_has_come_to(planner: Planner) -> None:
    planner.ask(Ask.MARK, 0)
    assert planner.next(NOW) == Marked((), 0, 0.0)
    add(planner, loud(4))
    planner.ask(Ask.FINISH, 4 * WORD_MS)
    final = last(planner, replace(NOW, more=True))
    assert isinstance(final, PlannedDecode)
    assert final.final
    planner.take(final, Counter().decode(final.job))
    finished = planner.next(NOW)
    assert isinstance(finished, Finished)
    assert (finished.at, len(finished.words)) == (4 * WORD_MS, 4)
