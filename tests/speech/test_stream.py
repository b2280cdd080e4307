"""What a stream does with its audio, with a decoder that counts instead of a model.

The audio is loud or quiet. Each loud quarter of a second of a window is a word, the number of the
quarter since the start of the audio, which the samples themselves tell.
"""

import asyncio
import collections
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from tests.support import ManualClock
from turnwire.recognition import (
    Finished,
    Language,
    Marked,
    Partial,
    Pause,
    RecognitionOptions,
    SpeechEvent,
    SpeechStarted,
    plain,
)
from turnwire.speech.decoding import MS, RATE, DecodedWord, Job, JobKind, Text
from turnwire.speech.ears import SHARE_SECONDS, Ears
from turnwire.speech.engine import Samples
from turnwire.speech.scheduler import Scheduler
from turnwire.speech.stream import WhisperStream
from turnwire.speech.voice import FRAME, VoiceDetector

WORD_MS = 256
"""Eight frames."""

GUIDANCE = RecognitionOptions(vad_threshold=0.5)
NEVER = 10_000_000


def loud(words: int, first: int = 1) -> Samples:
    """The words from the number `first` on."""
    numbers = np.arange(first, first + words, dtype=np.int16)
    return np.repeat(numbers, WORD_MS * MS)


def quiet(ms: int) -> Samples:
    return np.zeros(ms * MS, np.int16)


class LoudnessEar:
    """Takes whatever is not quiet for a voice."""

    def __init__(self) -> None:
        self._pending = np.zeros(0, np.int16)

    def listen(self, samples: Samples, last: bool = False) -> tuple[Samples, list[float]]:
        audio = np.concatenate((self._pending, samples))
        whole = len(audio) // FRAME * FRAME
        self._pending = audio[whole:]
        return samples, [float(frame.any()) for frame in audio[:whole].reshape(-1, FRAME)]


class Counter:
    """Decodes a window into the numbers it holds, from that of its prefix on; notes its jobs."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.ends_sentence: Callable[[int], bool] = lambda number: False

    def decode(self, job: Job) -> Text:
        self.jobs.append(job)
        words = []
        for number in dict.fromkeys(job.window[job.window >= min(job.prefix, default=1)].tolist()):
            (at,) = np.nonzero(job.window == number)
            mark = "." if self.ends_sentence(number) else ""
            start, end = int(at[0]) // MS, int(at[-1]) // MS
            words.append(DecodedWord(f"{number}{mark}", start, end, 1.0, (number,)))
        return Text(tuple(words), 0.7 if words else 0.0)


class OneByOne:
    """A decoder that takes no two jobs together."""

    def __init__(self, decode: Callable[[Job], Text]) -> None:
        self._decode = decode

    def shape(self, job: Job) -> object:
        return object()

    def decode(self, jobs: Sequence[Job]) -> list[Text]:
        return [self._decode(job) for job in jobs]


class Bench:
    """Streams on one scheduler."""

    def __init__(
        self,
        decode: Callable[[Job], Text],
        workers: int = 2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.scheduler = Scheduler(OneByOne(decode), workers, clock)
        self.ears = Ears()

    def open(
        self, options: RecognitionOptions = GUIDANCE, ear: LoudnessEar | None = None
    ) -> WhisperStream:
        return WhisperStream(
            self.scheduler,
            cast(VoiceDetector, ear or LoudnessEar()),
            ears=self.ears,
            sample_rate=RATE,
            options=options,
        )

    def close(self) -> None:
        self.scheduler.close()


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def bench(counter: Counter) -> Iterator[Bench]:
    made = Bench(counter.decode)
    yield made
    made.close()


async def hear(stream: WhisperStream, *audio: Samples) -> list[SpeechEvent]:
    for samples in audio:
        await stream.feed(samples)
    stream.finish()
    return [event async for event in stream.events()]


async def all_is_taken() -> None:
    """As when it is spoken: streams are done with each word before the next one comes."""
    for _ in range(20):
        await asyncio.sleep(0)


async def cutting(stream: WhisperStream, at: type[SpeechEvent]) -> AsyncIterator[SpeechEvent]:
    """The events of a session that cuts wherever it hears `at`."""
    async for event in stream.events():
        yield event
        if isinstance(event, at):
            stream.cut()


def texts(event: SpeechEvent) -> str:
    assert not isinstance(event, SpeechStarted)
    return " ".join(word.text for word in event.words)


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


async def test_the_language_that_was_heard_is_told() -> None:
    spanish = Language("es", 0.8)
    counter = Counter()
    bench = Bench(lambda job: replace(counter.decode(job), language=spanish))
    events = await hear(bench.open(), loud(4), quiet(320))
    bench.close()
    told = {event.language for event in events if isinstance(event, Pause | Finished)}
    assert told == {spanish}


async def test_a_voice_is_measured_since_it_was_asked_last(bench: Bench) -> None:
    stream = bench.open()
    await hear(stream, loud(4))
    assert [stream.voice_peak(), stream.voice_peak()] == [1.0, 0.0]


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
        assert go_on.wait(10)
        return counter.decode(job)

    now = 0.0
    bench = Bench(decode, workers=1, clock=lambda: now)
    other, stream = bench.open(), bench.open()
    finishing = asyncio.create_task(hear(other, loud(2), quiet(320)))
    await asyncio.to_thread(at_work.wait, 10)
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
        assert go_on.wait(10)
        if 99 in job.window:
            after.set()
        return counter.decode(job)

    now = 0.0
    bench = Bench(decode, workers=1, clock=lambda: now)
    busy, stream, last = bench.open(), bench.open(), bench.open()
    finishing = asyncio.create_task(hear(busy, loud(2), quiet(320)))
    await asyncio.to_thread(at_work.wait, 10)
    listening = asyncio.ensure_future(anext(aiter_of(stream, skip=SpeechStarted)))
    for number in range(1, 6):
        now += WORD_MS / 1000
        await stream.feed(loud(1, first=number))
        await all_is_taken()
    now += 10.0  # A partial text of the stream waits, and after it one of the last stream.
    await last.feed(loud(3, first=97))
    listening_to_last = asyncio.ensure_future(anext(aiter_of(last, skip=SpeechStarted)))
    await all_is_taken()

    def hold_up() -> None:
        """Both decodes end while the event loop is busy, and just before the stream goes on."""
        go_on.set()
        assert after.wait(10)

    loop = asyncio.get_running_loop()
    loop.call_soon(loop.call_soon, hold_up)
    await stream.feed(loud(1, first=6))
    assert texts(await listening) == "1 2"
    assert texts(await listening_to_last) == "97 98 99"
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
    events = await hear(bench.open(), loud(8), quiet(320))
    bench.close()
    assert finals == 1
    assert texts(events[-1]) == "right word"


async def test_what_follows_a_final_text_that_stops_early_is_decoded_too(counter: Counter) -> None:
    def decode(job: Job) -> Text:
        text = counter.decode(job)
        return replace(text, words=text.words[:4]) if job.kind is JobKind.FINAL else text

    bench = Bench(decode)
    never = replace(GUIDANCE, first_partial=NEVER, next_partial=NEVER)
    events = await hear(bench.open(never), loud(18), quiet(640))
    bench.close()
    finals = [
        len(job.window) // (WORD_MS * MS) for job in counter.jobs if job.kind is JobKind.FINAL
    ]
    assert finals == [18, 14, 10]
    # A second or two at the end may be laughter.
    assert texts(events[-1]) == " ".join(map(str, range(1, 13)))


async def test_what_follows_a_final_text_is_decoded_though_its_last_word_seems_to_last(
    counter: Counter,
) -> None:
    def decode(job: Job) -> Text:
        words = counter.decode(job).words[:4]
        last = replace(words[-1], end=job.voice_end // MS)
        return Text((*words[:-1], last), 0.0) if job.kind is JobKind.FINAL else Text(words, 0.0)

    bench = Bench(decode)
    never = replace(GUIDANCE, first_partial=NEVER, next_partial=NEVER)
    events = await hear(bench.open(never), loud(13, first=1001), quiet(640))
    bench.close()
    assert texts(events[-1]).startswith("1001 1002 1003 1004 1005 1006 1007 1008")


async def test_a_cut_in_a_pause_begins_afresh(bench: Bench) -> None:
    stream = bench.open()
    await stream.feed(np.concatenate((loud(3), quiet(640), loud(2, first=4), quiet(640))))
    stream.finish()
    words = [texts(e) async for e in cutting(stream, Pause) if isinstance(e, Pause)]
    assert [text for text in words if text] == ["1 2 3", "4 5"]


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


async def test_pauses_go_on_after_a_cut(bench: Bench) -> None:
    stream = bench.open()
    await stream.feed(np.concatenate((loud(3), quiet(40_000))))
    stream.finish()
    pauses = [e async for e in cutting(stream, Pause) if isinstance(e, Pause)]
    assert pauses[0].words
    assert not any(pause.words or pause.completeness for pause in pauses[1:])
    assert {pause.since for pause in pauses} == {3 * WORD_MS}
    assert pauses[-1].until > 40_000


async def test_a_cut_amid_speech_divides_its_words(bench: Bench) -> None:
    stream = bench.open()
    await stream.feed(loud(4))
    stream.mark()
    await stream.feed(np.concatenate((loud(3, first=5), quiet(320))))
    stream.finish()
    events = [event async for event in cutting(stream, Marked)]
    (marked,) = (event for event in events if isinstance(event, Marked))
    assert (texts(marked), marked.at) == ("1 2 3 4", 4 * WORD_MS)
    assert texts(events[-1]) == "5 6 7"


SCRAP = loud(1, first=5)[: 192 * MS]
"""What is left of a word after a mark that fell into it."""


async def test_what_a_cut_leaves_of_a_word_says_nothing(bench: Bench) -> None:
    stream = bench.open()
    await stream.feed(loud(4))
    stream.mark()
    await stream.feed(np.concatenate((SCRAP, quiet(1600), loud(2, first=6), quiet(320))))
    stream.finish()
    events = [event async for event in cutting(stream, Marked)]
    rest = events[events.index(next(e for e in events if isinstance(e, Marked))) + 1 :]
    words = [texts(event) for event in rest if not isinstance(event, SpeechStarted)]
    assert "5" not in " ".join(words)
    assert texts(events[-1]) == "6 7"


async def test_what_a_cut_leaves_of_a_word_is_heard_with_what_follows(bench: Bench) -> None:
    stream = bench.open()
    await stream.feed(loud(4))
    stream.mark()
    await stream.feed(np.concatenate((SCRAP, quiet(256), loud(2, first=6), quiet(320))))
    stream.finish()
    events = [event async for event in cutting(stream, Marked)]
    assert texts(events[-1]) == "5 6 7"


async def test_a_cut_at_a_hypothesis_loses_nothing(bench: Bench) -> None:
    stream = bench.open()
    await stream.feed(np.concatenate((loud(10), quiet(640))))
    stream.finish()
    taken: list[str] = []
    async for event in cutting(stream, Partial):
        if isinstance(event, Partial | Finished):
            taken += texts(event).split()
    # A word that a cut falls into is heard on both sides of it.
    assert list(dict.fromkeys(taken)) == [str(number) for number in range(1, 11)]


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


async def test_a_recording_that_is_over_waits_no_longer_for_what_is_not_due(
    counter: Counter,
) -> None:
    go_on = threading.Event()

    def decode(job: Job) -> Text:
        assert go_on.wait(10)
        return counter.decode(job)

    bench = Bench(decode, workers=1, clock=lambda: 0.0)
    live = RecognitionOptions(vad_threshold=0.5)
    busy = bench.scheduler.submit(Job(loud(1), (), JobKind.FINAL, 0, options=live), 0.0)
    while not busy.running():
        await asyncio.sleep(0)
    stream = bench.open(replace(GUIDANCE, recording=True))
    await stream.feed(np.concatenate((loud(4), quiet(640))))
    heard = asyncio.create_task(_all(stream))
    while not bench.scheduler.waiting(None):
        await asyncio.sleep(0)
    welcome = bench.scheduler.submit(Job(loud(2), (), JobKind.PARTIAL, 0, options=live))
    stream.finish()
    go_on.set()
    assert texts((await heard)[-1]) == "1 2 3 4"
    welcome.result(10)
    assert [job.options == live for job in counter.jobs] == [True, False, True]
    bench.close()


class SlowEar(LoudnessEar):
    """Takes a turn's share for three and a half bites, by the clock."""

    def __init__(self, clock: ManualClock, heard: Callable[[], None]) -> None:
        super().__init__()
        self._clock = clock
        self._heard = heard

    def listen(self, samples: Samples, last: bool = False) -> tuple[Samples, list[float]]:
        self._clock.advance(SHARE_SECONDS / 3.5)
        self._heard()
        return super().listen(samples, last)


@pytest.mark.parametrize(("live", "recorded", "most"), [(5, 0, 4), (0, 5, 4), (5, 5, 5)])
async def test_streams_share_a_turn_of_the_event_loop(
    bench: Bench, live: int, recorded: int, most: int
) -> None:
    """However many there are, and a recording has a bite of each turn."""
    clock, passes = ManualClock(), 0
    bench.ears = Ears(clock.now)
    heard: collections.Counter[tuple[int, str]] = collections.Counter()

    async def count() -> None:
        nonlocal passes
        while True:
            passes += 1
            await asyncio.sleep(0)

    def stream(kind: str) -> WhisperStream:
        options = replace(GUIDANCE, recording=kind == "recorded")
        return bench.open(options, SlowEar(clock, lambda: heard.update([(passes, kind)])))

    counting = asyncio.create_task(count())
    streams = [
        *(stream("live") for _ in range(live)),
        *(stream("recorded") for _ in range(recorded)),
    ]
    ends = await asyncio.gather(*(hear(stream, quiet(10_000)) for stream in streams))
    counting.cancel()
    assert {events[-1] for events in ends} == {Finished((), 10_000, 0.0)}
    turns = {turn for turn, _ in heard}
    assert max(heard[turn, "live"] + heard[turn, "recorded"] for turn in turns) == most
    if live and recorded:
        together = [turn for turn in turns if heard[turn, "live"] == 4]
        assert {heard[turn, "recorded"] for turn in together} == {1}


async def test_a_stream_that_goes_while_it_waits_to_be_heard_holds_up_nobody(bench: Bench) -> None:
    closed, cancelled, other = (bench.open() for _ in range(3))
    tasks = [asyncio.create_task(hear(each, quiet(1000))) for each in (closed, cancelled, other)]
    await asyncio.sleep(0)
    await closed.close()
    tasks[1].cancel()
    assert await tasks[0] == []
    assert (await tasks[2])[-1] == Finished((), 1000, 0.0)
    assert tasks[1].cancelled()


async def test_an_ear_that_fails_fails_its_own_stream(bench: Bench) -> None:
    class BadEar(LoudnessEar):
        def listen(self, samples: Samples, last: bool = False) -> tuple[Samples, list[float]]:
            raise ZeroDivisionError

    bad, good = bench.open(ear=BadEar()), bench.open()
    ends = await asyncio.gather(
        hear(bad, quiet(1000)), hear(good, quiet(1000)), return_exceptions=True
    )
    assert isinstance(ends[0], ZeroDivisionError)
    assert not isinstance(ends[1], BaseException)
    assert ends[1][-1] == Finished((), 1000, 0.0)


async def _all(stream: WhisperStream) -> list[SpeechEvent]:
    return [event async for event in stream.events()]


async def test_close_while_a_decode_runs() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def decode(job: Job) -> Text:
        begun.set()
        assert go_on.wait(10)
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


async def aiter_of(stream: WhisperStream, *, skip: type[SpeechEvent]) -> AsyncIterator[SpeechEvent]:
    async for event in stream.events():
        if not isinstance(event, skip):
            yield event


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
