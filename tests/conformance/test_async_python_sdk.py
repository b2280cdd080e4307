"""The official Python SDK, unmodified: its client of asyncio."""

import asyncio
from typing import Any

import pytest
from assemblyai.streaming.v3 import (
    AsyncChannelStreamer,
    AsyncStreamingClient,
    ChannelAttributionOptions,
    StreamingClientOptions,
    StreamingEvents,
)

from tests.conformance.passage import CHUNKS, assert_heard, assert_told_apart, channels
from tests.conformance.python_sdk import PATIENT, Story, parameters
from tests.support import PATIENCE
from turnwire.testing import LocalServer
from turnwire.wire.closure import Closure

# The SDK uses the websockets library in a way that newer versions of that frown upon.
pytestmark = pytest.mark.filterwarnings(
    r"ignore:ConnectionClosed\.\w+ is deprecated:DeprecationWarning"
)


def client_of(host: str, **options: Any) -> tuple[AsyncStreamingClient, Story]:
    client = AsyncStreamingClient(StreamingClientOptions(api_host=host, **PATIENT, **options))
    story = Story()
    story.listen(client)
    return client, story


async def test_the_passage_is_transcribed(server: LocalServer) -> None:
    client, story = client_of(server.host, api_key=server.api_key)
    async with client:
        await client.connect(parameters())
        await client.stream(CHUNKS)
    assert_heard(*(turn.transcript for turn in story.finals))
    assert [turn.turn_order for turn in story.finals] == list(range(len(story.finals)))
    assert [figures.audio_duration_seconds for figures in story.terminations] == [10]
    assert story.errors == []


async def test_a_temporary_token_opens_a_session(trusted_server: LocalServer) -> None:
    host = trusted_server.host.removeprefix("wss://")
    client, _ = client_of(host, api_key=trusted_server.api_key)
    async with client:
        token = await client.create_temporary_token(60)
    client, story = client_of(host, token=token)
    async with client:
        await client.connect(parameters())
        await client.stream(CHUNKS)
    assert_heard(*(turn.transcript for turn in story.finals))
    assert story.errors == []


async def test_each_channels_words_are_its_own(server: LocalServer) -> None:
    client, story = client_of(server.host, api_key=server.api_key)
    mixer = AsyncChannelStreamer(
        client,
        ["one", "two"],
        sample_rate=16_000,
        attribution=ChannelAttributionOptions(resolve_unknown_channels_method="none"),
    )
    turns: list[Any] = []
    mixer.on(StreamingEvents.Turn, lambda _, turn: turns.append(turn))
    async with client:
        await client.connect(parameters())
        for one, two in channels():
            await mixer.stream("one", one)
            await mixer.stream("two", two)
        await mixer.flush()
    assert story.errors == []
    assert_told_apart(turns, one="one", two="two")


async def test_an_ending_is_told_once_with_its_reason(server: LocalServer, ending: Closure) -> None:
    client, story = client_of(server.rehearsal(ending.row.name).host, api_key=server.api_key)
    async with client:
        await client.connect(parameters())
        assert await asyncio.to_thread(story.failed.wait, PATIENCE)
    assert story.told == [(ending.code, ending.text)]
    assert story.terminations == []
