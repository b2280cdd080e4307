"""Pipecat's service, unmodified, in a pipeline."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import soxr
from pipecat.frames.frames import (
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
from pipecat.services.assemblyai.stt import AssemblyAISTTService

from tests.conformance.passage import AUDIO, CHUNKS, RATE, assert_heard
from tests.conformance.pipeline import Conversation, conversation, texts
from tests.conformance.recorder import nearly_all_is_heard
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


def talking(url: str, key: str, **options: Any) -> AbstractAsyncContextManager[Conversation]:
    """A conversation of the service with these options."""
    return conversation(
        AssemblyAISTTService(api_key=key, api_endpoint_base_url=url, **WITHOUT_DELAY, **options)
    )


async def all_of(talk: Conversation) -> list[Frame]:
    """What comes of the passage, once all of it was said."""
    await nearly_all_is_heard()
    return await talk.rest()


@pytest.mark.parametrize("options", [CLASSIC, NEWEST], ids=["classic", "newest"])
async def test_the_passage_is_transcribed(server: LocalServer, options: dict[str, Any]) -> None:
    async with talking(server.url, server.api_key, **options) as talk:
        await talk.say(*CHUNKS)
        frames = await all_of(talk)
        assert_heard(*texts(frames))
        assert talk.errors() == []


async def test_its_chunks_may_cut_samples_in_half(server: LocalServer) -> None:
    # At 22,050 Hz it sends 2205 bytes at a time.
    audio = soxr.resample(AUDIO, RATE, 22_050).tobytes()
    async with talking(server.url, server.api_key, sample_rate=22_050, **CLASSIC) as talk:
        await talk.say(*(audio[start : start + 882] for start in range(0, len(audio), 882)))
        assert_heard(*texts(await all_of(talk)))


async def test_what_is_heard_is_shown_before_the_turn_ends(server: LocalServer) -> None:
    async with talking(server.url, server.api_key, **CLASSIC) as talk:
        await talk.say(*CHUNKS)
        kinds = [type(frame) for frame in await all_of(talk)]
        assert kinds.index(InterimTranscriptionFrame) < kinds.index(TranscriptionFrame)


async def test_a_turn_ends_where_pipecat_hears_its_end(server: LocalServer) -> None:
    async with talking(server.url, server.api_key, **CLASSIC) as talk:
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
    async with talking(server.url, server.api_key, vad_force_turn_endpoint=False) as talk:
        await talk.say(*CHUNKS)
        frames = await all_of(talk)
        assert_heard(*texts(frames))
        turns = [frame for frame in frames if isinstance(frame, TURN)]
        assert [type(frame) for frame in turns] == len(texts(frames)) * list(TURN)


async def test_after_an_ending_it_goes_on_in_a_new_session(
    server: LocalServer, ending: Closure
) -> None:
    place = server.rehearsal(ending.row.name, "ok")
    async with talking(place.url, server.api_key, **CLASSIC) as talk:
        # It knows no Error messages; what made it connect again is the close.
        told = await talk.next(ErrorFrame)
        assert told.error == "Unknown error occurred: Unknown message type: Error"
        for _ in range(2):
            await talk.connections.acquire()
        await talk.say(*CHUNKS)
        assert_heard(*texts(await all_of(talk)))


async def test_three_endings_in_a_row_are_enough(server: LocalServer, ending: Closure) -> None:
    async with talking(server.rehearsal(ending.row.name).url, server.api_key) as talk:
        await talk.gives_up()


async def test_a_wrong_key_is_tried_three_times(server: LocalServer) -> None:
    async with talking(server.url, "nobody") as talk:
        await talk.gives_up()
