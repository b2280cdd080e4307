"""Pipecat's service, unmodified, in a pipeline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import soxr
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.assemblyai.stt import AssemblyAISTTService
from pipecat.tests.utils import QueuedFrameProcessor
from pipecat.workers.runner import WorkerRunner

from tests.conformance.passage import AUDIO, CHUNKS, RATE, assert_heard
from turnwire.testing import LocalServer
from turnwire.wire.closure import Closure

CLASSIC = {"settings": AssemblyAISTTService.Settings(model="universal-streaming-english")}

NEWEST: dict[str, Any] = {}
"""The model that it asks for by itself."""


TURN = (
    ProposedUserStartedSpeakingFrame,
    TranscriptionFrame,
    ProposedUserStoppedSpeakingFrame,
)
"""How a turn goes that the server finds, but for what is heard before its end."""

WITHOUT_DELAY = {"reconnect_backoff_min_wait": 0, "reconnect_backoff_max_wait": 0}


class Conversation:
    """A pipeline with the service in it, and what comes out of it at both ends."""

    def __init__(self, url: str, key: str, options: dict[str, Any]) -> None:
        self.stt = AssemblyAISTTService(
            api_key=key, api_endpoint_base_url=url, **WITHOUT_DELAY, **options
        )
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
async def conversation(url: str, key: str, **options: Any) -> AsyncIterator[Conversation]:
    conversation = Conversation(url, key, options)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(conversation.worker)
    running = asyncio.create_task(runner.run())
    try:
        async with asyncio.timeout(20):
            yield conversation
    finally:
        await conversation.end()
        await running


def texts(frames: list[Frame]) -> list[str]:
    return [frame.text for frame in frames if isinstance(frame, TranscriptionFrame)]


@pytest.mark.parametrize("options", [CLASSIC, NEWEST], ids=["classic", "newest"])
async def test_the_passage_is_transcribed(server: LocalServer, options: dict[str, Any]) -> None:
    async with conversation(server.url, server.api_key, **options) as talk:
        await talk.say(*CHUNKS)
        frames = await talk.rest()
        assert_heard(*texts(frames))
        assert talk.errors() == []


async def test_its_chunks_may_cut_samples_in_half(server: LocalServer) -> None:
    # At 22,050 Hz it sends 2205 bytes at a time.
    audio = soxr.resample(AUDIO, RATE, 22_050).tobytes()
    async with conversation(server.url, server.api_key, sample_rate=22_050, **CLASSIC) as talk:
        await talk.say(*(audio[start : start + 882] for start in range(0, len(audio), 882)))
        assert_heard(*texts(await talk.rest()))


async def test_what_is_heard_is_shown_before_the_turn_ends(server: LocalServer) -> None:
    async with conversation(server.url, server.api_key, **CLASSIC) as talk:
        await talk.say(*CHUNKS)
        kinds = [type(frame) for frame in await talk.rest()]
        assert kinds.index(InterimTranscriptionFrame) < kinds.index(TranscriptionFrame)


async def test_a_turn_ends_where_pipecat_hears_its_end(server: LocalServer) -> None:
    async with conversation(server.url, server.api_key, **CLASSIC) as talk:
        await talk.voice(VADUserStartedSpeakingFrame())
        # Up to the last sound of it, and not one of silence.
        await talk.say(*CHUNKS[:56])
        # Its word overtakes audio, which no real one does: not before all of that has gone through.
        for _ in range(56):
            await talk.next(InputAudioRawFrame)
        await talk.voice(VADUserStoppedSpeakingFrame())
        final = await talk.next(TranscriptionFrame)
        assert final.text == "Ever tried. Ever failed."
        assert final.finalized


async def test_turns_may_be_left_to_the_server(server: LocalServer) -> None:
    async with conversation(server.url, server.api_key, vad_force_turn_endpoint=False) as talk:
        await talk.say(*CHUNKS)
        frames = await talk.rest()
        assert_heard(*texts(frames))
        turns = [frame for frame in frames if isinstance(frame, TURN)]
        assert [type(frame) for frame in turns] == len(texts(frames)) * list(TURN)


async def test_after_an_ending_it_goes_on_in_a_new_session(
    server: LocalServer, ending: Closure
) -> None:
    place = server.rehearsal(ending.row.name, "ok")
    async with conversation(place.url, server.api_key, **CLASSIC) as talk:
        # It knows no Error messages; what made it connect again is the close.
        told = await talk.next(ErrorFrame)
        assert told.error == "Unknown error occurred: Unknown message type: Error"
        for _ in range(2):
            await talk.connections.acquire()
        await talk.say(*CHUNKS)
        assert_heard(*texts(await talk.rest()))


async def test_three_endings_in_a_row_are_enough(server: LocalServer, ending: Closure) -> None:
    async with conversation(server.rehearsal(ending.row.name).url, server.api_key) as talk:
        await talk.gives_up()


async def test_a_wrong_key_is_tried_three_times(server: LocalServer) -> None:
    async with conversation(server.url, "nobody") as talk:
        await talk.gives_up()
