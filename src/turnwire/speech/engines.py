"""Whisper models as an engine: the threads that decode, and what that costs."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import threadpoolctl

from turnwire.recognition import RecognitionOptions
from turnwire.speech.decoding import JobKind
from turnwire.speech.devices import CPU, Device
from turnwire.speech.ears import Ears
from turnwire.speech.engine import EngineError, EngineLoad
from turnwire.speech.models import find_model
from turnwire.speech.scheduler import Scheduler
from turnwire.speech.several import TwoModels
from turnwire.speech.stream import WhisperStream
from turnwire.speech.voice import Silero, VoiceDetector
from turnwire.speech.whisper import Whisper

_FINALS_PER_S = 0.3
"""Final texts for each second of speech: pauses end one, and so do some that end no turn."""

_ROUNDS = 5
"""How often a final text is made to measure what it takes."""

_SPEECH = 0.5
"""How much of a conversation one side speaks."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model with its weights in memory, and what it was seen to cost here."""

    name: str
    """That of the model which most sessions have."""
    model: Whisper | TwoModels
    device: Device
    seconds_per_final: float
    """Of CPU: what a final text of common length takes."""


class WhisperEngine:
    """A Whisper model, and the threads that decode with it."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._name = loaded.name
        self._threads = loaded.device.workers
        self._expected = _FINALS_PER_S * _SPEECH * loaded.seconds_per_final
        self._scheduler = Scheduler(loaded.model, self._threads, together=loaded.device.together)
        self._silero = Silero()
        self._ears = Ears()

    @property
    def name(self) -> str:
        return self._name

    def open(self, *, sample_rate: int, options: RecognitionOptions) -> WhisperStream:
        return WhisperStream(
            self._scheduler,
            VoiceDetector(self._silero, sample_rate),
            ears=self._ears,
            sample_rate=sample_rate,
            options=options,
        )

    def load(self) -> EngineLoad:
        return EngineLoad(
            self._threads,
            self._expected,
            self._scheduler.spent_on(JobKind.FINAL),
            self._scheduler.finals_behind,
            self._scheduler.quality.name,
            self._scheduler.spent_on(JobKind.PARTIAL),
            self._scheduler.waiting(JobKind.FINAL),
            self._scheduler.waiting(JobKind.PARTIAL),
            self._scheduler.batches,
            self._scheduler.spent_on(None),
            self._scheduler.waiting(None),
        )

    async def close(self) -> None:
        await asyncio.to_thread(self._scheduler.close)


def _time_finals(model: Whisper | TwoModels, threads: int) -> float:
    """Seconds of CPU that a final text of common length takes while all threads make one.

    Of CPU, so that other work on the machine makes little difference, and the median of some
    rounds. The first takes longer, which also spares the first session that.
    """
    rounds = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(_ROUNDS + 1):
            began = time.process_time()
            list(pool.map(lambda _: model.make_final(), range(threads)))
            rounds.append((time.process_time() - began) / threads)
    return statistics.median(rounds[1:])


def load_whisper(models: Sequence[str], device: Device = CPU) -> LoadedModel:
    """One model, or two of which the second is for other languages.

    Each is a name or a folder. On a CPU it decodes on all cores. Raises `EngineError`.
    """
    if len(models) > 2:
        raise EngineError(
            "A server has one model, or two: one for English and one for other languages."
        )
    # Each decode runs on one thread; more of them for its matrix products only get in the way.
    threadpoolctl.threadpool_limits(1, "blas")
    usual, *others = (Whisper(find_model(model), device.workers, device) for model in models)
    if others and not others[0].is_multilingual:
        raise EngineError(
            f"The second model is for other languages than English, and {models[1]} knows no other."
        )
    model = TwoModels(usual, others[0]) if others else usual
    return LoadedModel(models[0], model, device, _time_finals(model, device.workers))
