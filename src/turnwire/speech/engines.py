"""Whisper models as an engine: the threads that decode, and what that costs."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import threadpoolctl

from turnwire.recognition import RecognitionOptions
from turnwire.speech.costs import Costs, measure
from turnwire.speech.decoding import JobKind
from turnwire.speech.devices import CPU, Device
from turnwire.speech.ears import Ears
from turnwire.speech.engine import EngineError, EngineLoad, Resource
from turnwire.speech.models import find_model
from turnwire.speech.scheduler import Scheduler, decoding_cpu
from turnwire.speech.several import TwoModels
from turnwire.speech.stream import WhisperStream
from turnwire.speech.voice import Silero, VoiceDetector
from turnwire.speech.whisper import Whisper


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model with its weights in memory, and what it was seen to cost here."""

    name: str
    """That of the model which most sessions have."""
    model: Whisper | TwoModels
    device: Device
    costs: Costs


class WhisperEngine:
    """A Whisper model, and the threads that decode with it."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._name = loaded.name
        self._device = loaded.device
        self._costs = loaded.costs
        self._scheduler = Scheduler(
            loaded.model,
            self._device.workers,
            cpu=decoding_cpu if self._device.is_cpu else None,
            together=self._device.together,
        )
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
        scheduler = self._scheduler
        finals, partials = map(scheduler.spent_on, JobKind)
        return EngineLoad(
            threads=self._device.workers,
            resources=self._resources(finals + partials, self._ears.spent),
            behind=scheduler.finals_behind,
            quality=scheduler.quality.name,
            spent_on_finals=finals,
            spent_on_partials=partials,
            spent_on_recordings=scheduler.spent_on(None),
            waiting_finals=scheduler.waiting(JobKind.FINAL),
            waiting_partials=scheduler.waiting(JobKind.PARTIAL),
            waiting_recordings=scheduler.waiting(None),
            batches=scheduler.batches,
        )

    def _resources(self, decoding: float, listening: float) -> list[Resource]:
        threads = self._device.workers
        if self._device.is_cpu:
            decode = self._costs.processors(threads, decoding + listening)
        else:
            decode = self._costs.decoding(threads, decoding)
        return [decode, self._costs.event_loop(listening)]

    async def close(self) -> None:
        await asyncio.to_thread(self._scheduler.close)


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
    # Nobody knows which of them sessions will ask for.
    costs = max(
        (
            measure(each.make_final, device.workers, on_cpu=device.is_cpu)
            for each in (usual, *others)
        ),
        key=lambda measured: measured.final,
    )
    return LoadedModel(models[0], model, device, costs)
