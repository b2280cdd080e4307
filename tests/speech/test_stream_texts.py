"""What a stream has decoded, when, and what becomes of the words."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.speech.counting import (
    GUIDANCE,
    NEVER,
    WORD_MS,
    Bench,
    Counter,
    LoudnessEar,
    aiter_of,
    all_is_taken,
    cutting,
    hear,
    loud,
    quiet,
    texts,
)
from tests.support import PATIENCE
from turnwire.recognition import Finished, Language, Partial, Pause, SpeechStarted
from turnwire.speech.decoding import MS, RATE, DecodedWord, Job, JobKind, Text
from turnwire.speech.engine import Samples
from turnwire.speech.voice import FRAME


async def test_the_language_that_was_heard_is_told() -> None:
    spanish = Language("es", 0.8)
    counter = Counter()
    bench = Bench(lambda job: replace(counter.decode(job), language=spanish))
    events = await hear(bench.open(), loud(4), quiet(320))
    bench.close()
    told = {event.language for event in events if isinstance(event, Pause | Finished)}
    assert told == {spanish}


async def test_partial_decodes_come_at_their_pace(bench: Bench, counter: Counter) -> None:
    events = await hear(bench.open(), loud(14))
    partial = [event.words[-1].end for event in events if isinstance(event, Partial)]
    assert partial == pytest.approx([500, 1500, 2500, 3500], abs=100)


async def test_a_partial_decode_is_of_what_is_still_in_doubt(
    bench: Bench, counter: Counter
) -> None:
    events = await hear(bench.open(), loud(40))
    tails = [len(job.window) / RATE for job in counter.jobs if job.kind is JobKind.PARTIAL]
    assert len(tails) > 8
    assert max(tails) < 3.5
    hypotheses = [texts(event) for event in events if isinstance(event, Partial)]
    assert hypotheses[-1] == " ".join(map(str, range(1, len(hypotheses[-1].split()) + 1)))


async def test_a_partial_decode_that_has_to_wait_is_made_of_the_newest_audio(
    counter: Counter,
) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def decode(job: Job) -> Text:
        at_work.set()
        assert go_on.wait(PATIENCE)
        return counter.decode(job)

    now = 0.0
    bench = Bench(decode, workers=1, clock=lambda: now)
    other, stream = bench.open(), bench.open()
    finishing = asyncio.create_task(hear(other, loud(2), quiet(320)))
    await asyncio.to_thread(at_work.wait, PATIENCE)
    listening = asyncio.ensure_future(anext(aiter_of(stream, skip=SpeechStarted)))
    for number in range(1, 15):
        now += WORD_MS / 1000
        await stream.feed(loud(1, first=number))
        await all_is_taken()
    go_on.set()
    await finishing
    assert texts(await listening) == " ".join(map(str, range(1, 15)))
    await stream.close()
    bench.close()


async def test_a_decode_that_ended_before_the_event_loop_heard_of_it_is_not_replaced(
    counter: Counter,
) -> None:
    at_work, go_on, after = threading.Event(), threading.Event(), threading.Event()

    def decode(job: Job) -> Text:
        at_work.set()
        assert go_on.wait(PATIENCE)
        if 99 in job.window:
            after.set()
        return counter.decode(job)

    ended: list[bool] = []

    def hold_up() -> None:
        """Both decodes end while the event loop is busy."""
        go_on.set()
        ended.append(after.wait(PATIENCE))

    class Ear(LoudnessEar):
        def listen(self, samples: Samples, last: bool = False) -> tuple[Samples, list[float]]:
            if 7 in samples:
                # Just before the stream goes on.
                asyncio.get_running_loop().call_soon(hold_up)
            return super().listen(samples, last)

    now = 0.0
    bench = Bench(decode, workers=1, clock=lambda: now)
    busy, stream, last = bench.open(), bench.open(ear=Ear()), bench.open()
    finishing = asyncio.create_task(hear(busy, loud(2), quiet(320)))
    await asyncio.to_thread(at_work.wait, PATIENCE)
    listening = asyncio.ensure_future(anext(aiter_of(stream, skip=SpeechStarted)))
    for number in range(1, 7):
        now += WORD_MS / 1000
        await stream.feed(loud(1, first=number)[: None if number < 6 else -2 * FRAME])
        await all_is_taken()
    now += 10.0  # A partial text of the stream waits, and after it one of the last stream.
    await last.feed(loud(3, first=97))
    listening_to_last = asyncio.ensure_future(anext(aiter_of(last, skip=SpeechStarted)))
    async with asyncio.timeout(PATIENCE):
        while bench.scheduler.waiting(JobKind.PARTIAL) < 2:
            await asyncio.sleep(0)
    await stream.feed(loud(1, first=7)[: 2 * FRAME])
    assert texts(await listening) == "1 2"
    assert texts(await listening_to_last) == "97 98 99"
    assert ended == [True]
    await finishing
    await stream.close()
    await last.close()
    bench.close()


async def test_partial_decodes_wait_as_long_as_the_session_wants(
    bench: Bench, counter: Counter
) -> None:
    await hear(bench.open(replace(GUIDANCE, first_partial=756, next_partial=2000)), loud(14))
    partial = [len(job.window) / RATE for job in counter.jobs if job.kind is JobKind.PARTIAL]
    assert partial == pytest.approx([0.75, 2.75], abs=0.1)


async def test_stable_words_never_change(bench: Bench) -> None:
    stable: list[str] = []
    for event in await hear(bench.open(), loud(20), quiet(320), loud(20, first=21), quiet(960)):
        if isinstance(event, SpeechStarted):
            continue
        words = texts(event).split()
        assert words[: len(stable)] == stable
        if isinstance(event, Partial):
            assert event.stable >= len(stable)
            stable = words[: event.stable]
    assert len(stable) > 30


async def test_a_final_that_disagrees_leaves_the_stable_words_as_they_are() -> None:
    finals = 0

    def decode(job: Job) -> Text:
        nonlocal finals
        finals += job.kind is JobKind.FINAL
        first = "right" if job.kind is JobKind.PARTIAL else "wrong"
        words = (DecodedWord(first, 0, 200, 1.0, (7,)), DecodedWord("word", 300, 900, 1.0, (8, 9)))
        return Text(words, 0.5)

    bench = Bench(decode)
    events = await hear(bench.open(), loud(7), quiet(320))
    bench.close()
    assert finals == 1
    assert texts(events[-1]) == "right word"


def stopping_early(counter: Counter) -> Callable[[Job], Text]:
    """What the counter says, of final texts four words."""

    def decode(job: Job) -> Text:
        text = counter.decode(job)
        return replace(text, words=text.words[:4]) if job.kind is JobKind.FINAL else text

    return decode


async def test_what_follows_a_final_text_that_stops_early_is_decoded_too(counter: Counter) -> None:
    bench = Bench(stopping_early(counter))
    never = replace(GUIDANCE, first_partial=NEVER, next_partial=NEVER)
    events = await hear(bench.open(never), loud(18), quiet(640))
    bench.close()
    finals = [
        len(job.window) // (WORD_MS * MS) for job in counter.jobs if job.kind is JobKind.FINAL
    ]
    assert finals == [18, 14, 10, 6]
    # Less than a second at the end may be a breath.
    assert texts(events[-1]) == " ".join(map(str, range(1, 17)))


async def test_a_pause_after_a_final_text_is_no_voice_that_was_not_heard(counter: Counter) -> None:
    bench = Bench(stopping_early(counter))
    never = replace(GUIDANCE, first_partial=NEVER, next_partial=NEVER)
    audio = [piece for i in range(6) for piece in (loud(1, first=i + 1), quiet(160))]
    events = await hear(bench.open(never), *audio, quiet(640))
    bench.close()
    assert sum(job.kind is JobKind.FINAL for job in counter.jobs) == 1
    assert texts(events[-1]) == "1 2 3 4"


async def test_a_word_said_once_is_heard_once_where_a_final_text_stops_before_live_text(
    counter: Counter,
) -> None:
    def decode(job: Job) -> Text:
        text = counter.decode(job)
        whole = job.kind is JobKind.FINAL and job.window[0] == 1
        return replace(text, words=text.words[:6]) if whole else text

    bench = Bench(decode)
    events = await hear(bench.open(), loud(18), quiet(640))
    bench.close()
    assert texts(events[-1]) == " ".join(map(str, range(1, 19)))


async def test_what_a_final_text_leaves_out_amid_its_words_is_as_live_text_had_it(
    counter: Counter,
) -> None:
    def decode(job: Job) -> Text:
        words = counter.decode(job).words
        if job.kind is JobKind.FINAL:
            words = (*words[:1], replace(words[-1], start=words[1].start))
        return Text(tuple(replace(word, confidence=0.5) for word in words), 0.7)

    bench = Bench(decode)
    events = await hear(bench.open(), loud(6), quiet(640))
    bench.close()
    assert texts(events[-1]) == "1 2 3 4 5 6"


async def test_what_was_taken_out_of_a_loop_is_not_put_back(counter: Counter) -> None:
    """A text that still repeats itself in a second attempt is told once, and not trusted."""

    def decode(job: Job) -> Text:
        words = counter.decode(job).words
        if job.kind is JobKind.PARTIAL:
            return Text(words, 0.0)
        left = (word for word in words if word.text not in ("3", "4", "5", "6"))
        return Text(tuple(replace(word, trusted=False) for word in left), 0.0)

    bench = Bench(decode)
    events = await hear(bench.open(), loud(9), quiet(640))
    bench.close()
    assert texts(events[-1]) == "1 2 7 8 9"


async def test_what_follows_a_final_text_is_decoded_though_its_last_word_seems_to_last(
    counter: Counter,
) -> None:
    def decode(job: Job) -> Text:
        words = counter.decode(job).words[:4]
        last = replace(words[-1], end=job.voice_end // MS)
        return Text((*words[:-1], last), 0.0) if job.kind is JobKind.FINAL else Text(words, 0.0)

    bench = Bench(decode)
    never = replace(GUIDANCE, first_partial=NEVER, next_partial=NEVER)
    events = await hear(bench.open(never), loud(13), quiet(640))
    bench.close()
    assert texts(events[-1]).startswith("1 2 3 4 5 6 7 8")


@pytest.mark.parametrize(("short", "left"), [(40, 0), (480, 0), (560, 560)])
async def test_a_last_word_has_what_little_of_the_voice_a_decoder_left(
    short: int, left: int, counter: Counter
) -> None:
    def decode(job: Job) -> Text:
        text = counter.decode(job)
        if job.kind is JobKind.PARTIAL:
            return text
        return replace(text, words=(replace(text.words[0], end=job.voice_end // MS - short),))

    bench = Bench(decode)
    events = await hear(bench.open(), loud(3), quiet(640))
    bench.close()
    pause = events[-2]
    assert isinstance(pause, Pause)
    assert pause.since - pause.words[-1].end == left


async def test_a_final_decode_is_told_what_was_said_before(bench: Bench, counter: Counter) -> None:
    stream = bench.open()
    for audio in (loud(3), quiet(640), loud(3, first=4), quiet(640), loud(30, first=7), quiet(640)):
        await stream.feed(audio)
    stream.finish()
    async for _ in cutting(stream, at=Pause):
        pass
    finals = [job for job in counter.jobs if job.kind is JobKind.FINAL]
    assert [job.context for job in finals] == [(), (1, 2, 3), (1, 2, 3, 4, 5, 6)]
    assert all(job.context == () for job in counter.jobs if job.kind is JobKind.PARTIAL)
