"""Streams beside each other: the event loop that they share, and recordings that wait."""

import asyncio
import collections
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.speech.counting import GUIDANCE, Bench, Counter, LoudnessEar, hear, loud, quiet, texts
from tests.support import PATIENCE, ManualClock
from turnwire.recognition import Finished, RecognitionOptions, SpeechEvent
from turnwire.speech.decoding import Job, JobKind, Text
from turnwire.speech.ears import SHARE_SECONDS, Ears
from turnwire.speech.engine import Samples
from turnwire.speech.stream import WhisperStream


async def test_a_recording_that_is_over_waits_no_longer_for_what_is_not_due(
    counter: Counter,
) -> None:
    go_on = threading.Event()

    def decode(job: Job) -> Text:
        assert go_on.wait(PATIENCE)
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
    """However many there are, and recordings have a bite of each turn at least."""
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


class PanicError(BaseException):
    """As that of libraries in Rust, which is no `Exception`."""


@pytest.mark.parametrize(
    ("failure", "told"), [(ZeroDivisionError(), ZeroDivisionError), (PanicError(), RuntimeError)]
)
async def test_an_ear_that_fails_fails_its_own_stream(
    bench: Bench, failure: BaseException, told: type[Exception]
) -> None:
    class BadEar(LoudnessEar):
        def listen(self, samples: Samples, last: bool = False) -> tuple[Samples, list[float]]:
            raise failure

    bad, good = bench.open(ear=BadEar()), bench.open()
    async with asyncio.timeout(PATIENCE):
        ends = await asyncio.gather(
            hear(bad, quiet(1000)), hear(good, quiet(1000)), return_exceptions=True
        )
        assert isinstance(ends[0], told)
        assert not isinstance(ends[1], BaseException)
        assert ends[1][-1] == Finished((), 1000, 0.0)
        assert (await hear(bench.open(), quiet(1000)))[-1] == Finished((), 1000, 0.0)


async def _all(stream: WhisperStream) -> list[SpeechEvent]:
    return [event async for event in stream.events()]


@pytest.mark.parametrize("recording", [False, True])
async def test_what_listening_takes_is_known_of_live_audio(bench: Bench, recording: bool) -> None:
    options = replace(GUIDANCE, recording=recording)
    await hear(bench.open(options, LoudnessEar()), quiet(1000))
    assert (bench.ears.spent > 0) is not recording
