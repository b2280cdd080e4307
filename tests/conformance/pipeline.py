"""Pipecat's service in a pipeline, as an application has it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    TranscriptionFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.assemblyai.stt import AssemblyAISTTService
from pipecat.tests.utils import QueuedFrameProcessor
from pipecat.workers.runner import WorkerRunner

from tests.conformance.passage import RATE
from tests.support import PATIENCE


class Conversation:
    """A pipeline with the service in it, and what comes out of it at both ends."""

    def __init__(self, stt: AssemblyAISTTService) -> None:
        self.stt = stt
        self.connections = asyncio.Semaphore(0)
        self.stt.add_event_handler("on_connected", self._connected)
        self.down: asyncio.Queue[Frame] = asyncio.Queue()
        self.up: asyncio.Queue[Frame] = asyncio.Queue()
        ends = [
            QueuedFrameProcessor(queue=self.up, queue_direction=FrameDirection.UPSTREAM),
            QueuedFrameProcessor(queue=self.down, queue_direction=FrameDirection.DOWNSTREAM),
        ]
        self.worker = PipelineWorker(
            Pipeline([ends[0], self.stt, ends[1]]),
            params=PipelineParams(audio_in_sample_rate=RATE),
            cancel_on_idle_timeout=False,
            enable_rtvi=False,
        )

    async def _connected(self, _: AssemblyAISTTService) -> None:
        self.connections.release()

    async def say(self, *chunks: bytes) -> None:
        for chunk in chunks:
            await self.worker.queue_frame(InputAudioRawFrame(chunk, RATE, 1))

    async def voice(self, frame: Frame) -> None:
        """What Pipecat's own voice activity detection would say here."""
        await self.worker.queue_frame(frame)

    async def next(self, kind: type) -> Any:
        """The next frame of this kind; errors come upstream, all else down."""
        queue = self.up if kind is ErrorFrame else self.down
        while not isinstance(frame := await queue.get(), kind):
            pass
        return frame

    async def gives_up(self) -> None:
        """Wait until it no longer tries to connect."""
        while (
            "times immediately after connecting" not in (told := await self.next(ErrorFrame)).error
        ):
            # So it says if the connection ends before it is looked at, which has no time.
            if "failed to reconnect after 3 attempts" in told.error:
                break

    async def end(self) -> None:
        await self.worker.queue_frame(EndFrame())

    async def rest(self) -> list[Frame]:
        """What comes out until the end."""
        await self.end()
        frames: list[Frame] = []
        while not frames or not isinstance(frames[-1], EndFrame):
            frames.append(await self.down.get())
        return frames

    def errors(self) -> list[str]:
        found = [self.up.get_nowait() for _ in range(self.up.qsize())]
        return [frame.error for frame in found if isinstance(frame, ErrorFrame)]


@asynccontextmanager
async def conversation(stt: AssemblyAISTTService) -> AsyncIterator[Conversation]:
    conversation = Conversation(stt)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(conversation.worker)
    running = asyncio.create_task(runner.run())
    try:
        async with asyncio.timeout(PATIENCE):
            yield conversation
    finally:
        await conversation.end()
        await running


def texts(frames: list[Frame]) -> list[str]:
    return [frame.text for frame in frames if isinstance(frame, TranscriptionFrame)]
