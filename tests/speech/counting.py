"""A decoder that counts instead of a model, and a stream that has it.

The audio is loud or quiet. Each loud quarter of a second of a window is a word, the number of the
quarter since the start of the audio, which the samples themselves tell.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import cast

import numpy as np

from turnwire.recognition import RecognitionOptions, SpeechEvent, SpeechStarted
from turnwire.speech.decoding import MS, RATE, DecodedWord, Job, Text
from turnwire.speech.ears import Ears
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


async def aiter_of(stream: WhisperStream, *, skip: type[SpeechEvent]) -> AsyncIterator[SpeechEvent]:
    async for event in stream.events():
        if not isinstance(event, skip):
            yield event
