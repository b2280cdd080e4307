"""What a stream does with its audio: speech, silence, marks, and its end."""

import asyncio
import threading
from dataclasses import replace

import numpy as np
import pytest

from tests.speech.counting import (
    GUIDANCE,
    NEVER,
    WORD_MS,
    Bench,
    Counter,
    aiter_of,
    cutting,
    hear,
    loud,
    quiet,
    texts,
)
from tests.support import PATIENCE
from turnwire.recognition import (
    Finished,
    Language,
    Marked,
    Partial,
    Pause,
    RecognitionOptions,
    SpeechStarted,
    plain,
)
from turnwire.speech.decoding import RATE, Job, JobKind, Text
from turnwire.speech.languages import NOTHING_HEARD
from turnwire.speech.voice import FRAME


async def test_speech_then_a_pause(bench: Bench) -> None:
    events = await hear(bench.open(), quiet(320), loud(4), quiet(640))
    assert events[0] == SpeechStarted(320, 1.0)
    assert isinstance(events[1], Partial)
    pauses = [event for event in events if isinstance(event, Pause)]
    assert {texts(pause) for pause in pauses} == {"1 2 3 4"}
    assert {pause.since for pause in pauses} == {320 + 4 * WORD_MS}
    assert [pause.until for pause in pauses] == list(range(pauses[0].until, 1985, 32))
    assert {pause.completeness for pause in pauses} == {0.7}
    assert events[-1] == Finished(pauses[-1].words, 1984, 0.7)
    first = pauses[0].words[0]
    assert (first.start, first.end) == (320, 320 + WORD_MS - 1)


async def test_silence_is_not_decoded(bench: Bench, counter: Counter) -> None:
    assert await hear(bench.open(), quiet(2500)) == [
        Pause((), 0, 1024, 0.0),
        Pause((), 0, 2048, 0.0),
        Finished((), 2500, 0.0),
    ]
    assert counter.jobs == []


async def test_speech_that_resumes_makes_the_utterance_longer(bench: Bench) -> None:
    events = await hear(bench.open(), loud(3), quiet(320), loud(3, first=4), quiet(320))
    pauses = [texts(event) for event in events if isinstance(event, Pause)]
    assert list(dict.fromkeys(pauses)) == ["1 2 3", "1 2 3 4 5 6"]
    assert sum(isinstance(event, SpeechStarted) for event in events) == 2


async def test_words_before_a_long_silence_are_not_decoded_again(
    bench: Bench, counter: Counter
) -> None:
    events = await hear(bench.open(), loud(3), quiet(960), loud(3, first=4), quiet(320))
    assert texts(events[-1]) == "1 2 3 4 5 6"
    assert 3 not in counter.jobs[-1].window


@pytest.mark.parametrize(("written", "told"), [("en", "fr"), ("fr", None)])
async def test_another_language_is_told_of_words_alone(written: str, told: str | None) -> None:
    """Before there are any, nothing says what language they will be in."""
    counter, french = Counter(), NOTHING_HEARD.with_window([("fr", 1.0), ("en", 1e-6)], 5.0)

    def decode(job: Job) -> Text:
        return replace(counter.decode(job), language=Language(written, 1.0), heard=french)

    bench = Bench(decode)
    try:
        stream = bench.open(replace(GUIDANCE, watch_language=True))
        await stream.feed(np.concatenate((loud(3), quiet(3200))))
        stream.finish()
        pauses = [event async for event in cutting(stream, Pause) if isinstance(event, Pause)]
    finally:
        bench.close()
    assert {(bool(pause.words), pause.spoken and pause.spoken.code) for pause in pauses} == {
        (True, told),
        (False, None),
    }


async def test_a_voice_is_measured_since_it_was_asked_last(bench: Bench) -> None:
    stream = bench.open()
    await hear(stream, loud(4))
    assert [stream.voice_peak(), stream.voice_peak()] == [1.0, 0.0]


async def test_a_mark_in_a_pause_repeats_it(bench: Bench, counter: Counter) -> None:
    stream = bench.open()
    await stream.feed(np.concatenate((loud(3), quiet(320))))
    stream.mark()
    events = await hear(stream)
    assert isinstance(events[-2], Marked)
    assert texts(events[-2]) == texts(events[-1]) == "1 2 3"
    assert sum(job.kind is JobKind.FINAL for job in counter.jobs) == 1


async def test_a_mark_before_any_audio(bench: Bench) -> None:
    stream = bench.open()
    stream.mark()
    assert await hear(stream) == [Marked((), 0, 0.0), Finished((), 0, 0.0)]


@pytest.mark.parametrize("sentences", [True, False])
@pytest.mark.parametrize(
    "options", [GUIDANCE, replace(GUIDANCE, first_partial=NEVER, next_partial=NEVER)]
)
async def test_speech_without_a_pause(
    bench: Bench, counter: Counter, sentences: bool, options: RecognitionOptions
) -> None:
    """Its window is shortened again and again, even if nobody wants partials."""
    counter.ends_sentence = lambda number: sentences and number % 10 == 0
    stable: list[str] = []
    audio = loud(320).reshape(320, -1)
    audio[:, -FRAME:] = 0  # a dip, too short for a pause, between any two words
    events = await hear(bench.open(options), np.concatenate((audio.ravel(), quiet(320))))
    for event in events[1:]:
        words = [plain(word) for word in texts(event).split()]
        assert words[: len(stable)] == stable
        if isinstance(event, Partial):
            stable = words[: event.stable]
    assert words == [str(number) for number in range(1, 321)]
    assert max(len(job.window) for job in counter.jobs) < (18 if sentences else 27) * RATE


async def test_the_threshold_may_change_between_frames(bench: Bench) -> None:
    stream = bench.open()
    stream.configure(RecognitionOptions(vad_threshold=1.1))
    await stream.feed(loud(4))
    stream.configure(GUIDANCE)
    events = await hear(stream, loud(4, first=5), quiet(320))
    assert SpeechStarted(4 * WORD_MS, 1.0) in events


async def test_pieces_make_no_difference(bench: Bench) -> None:
    audio = np.concatenate((quiet(70), loud(9), quiet(333), loud(12, first=10), quiet(700)))
    whole = await hear(bench.open(), audio)
    assert await hear(bench.open(), *np.array_split(audio, 123)) == whole


async def test_feed_waits_while_a_minute_of_audio_does(bench: Bench) -> None:
    stream = bench.open()
    await stream.feed(quiet(61_000))
    feeding = asyncio.create_task(stream.feed(quiet(320)))
    await asyncio.sleep(0)
    assert not feeding.done()
    stream.finish()
    assert [event async for event in stream.events()]
    await feeding


async def test_a_failed_decode_fails_its_stream_alone(counter: Counter) -> None:
    def decode(job: Job) -> Text:
        if 99 in job.window:
            raise RuntimeError("out of memory")
        return counter.decode(job)

    bench = Bench(decode)
    failing, fine = bench.open(), bench.open()
    with pytest.raises(RuntimeError, match="out of memory"):
        await hear(failing, loud(4, first=97), quiet(320))
    await failing.close()
    assert texts((await hear(fine, loud(4), quiet(320)))[-1]) == "1 2 3 4"
    bench.close()


def our_threads() -> int:
    """How many there are; the event loop makes some of its own."""
    return sum(each.name.startswith("turnwire") for each in threading.enumerate())


async def test_close_while_a_decode_runs() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def decode(job: Job) -> Text:
        begun.set()
        assert go_on.wait(PATIENCE)
        return Text((), 0.0)

    tasks, threads = len(asyncio.all_tasks()), our_threads()
    bench = Bench(decode)
    stream = bench.open()
    await stream.feed(np.concatenate((loud(3), quiet(320))))
    hearing = asyncio.create_task(anext(aiter_of(stream, skip=SpeechStarted), None))
    await asyncio.to_thread(begun.wait, 10)
    await stream.close()
    await stream.close()
    assert await hearing is None
    go_on.set()
    await asyncio.to_thread(bench.close)
    assert len(asyncio.all_tasks()) == tasks
    assert our_threads() == threads


async def test_close_ends_events_that_wait_and_feeds_that_do(bench: Bench) -> None:
    stream = bench.open()
    hearing = asyncio.ensure_future(anext(aiter_of(stream, skip=SpeechStarted), None))
    await asyncio.sleep(0)
    await stream.close()
    assert await hearing is None

    stream = bench.open()
    await stream.feed(quiet(61_000))
    feeding = asyncio.create_task(stream.feed(quiet(320)))
    await asyncio.sleep(0)
    await stream.close()
    await feeding
