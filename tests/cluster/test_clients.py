"""Real clients, unmodified, through the proxy: each hears every word, by whichever node it is."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from livekit.agents.stt import SpeechEventType
from websockets.asyncio.client import connect

from tests.cluster.cluster import Cluster
from tests.cluster.conftest import NewKey
from tests.cluster.sessions import SECOND, WORDS_A_SECOND
from tests.conformance import (
    pipeline,
    test_async_python_sdk,
    test_livekit,
    test_pipecat,
    test_python_sdk,
)
from tests.conformance.passage import RATE
from tests.conformance.python_sdk import Story, parameters
from turnwire import AsyncClient
from turnwire.accounts.management import Management

pytestmark = [
    # The SDK uses the websockets library in a way that newer versions of that frown upon.
    pytest.mark.filterwarnings(r"ignore:connect\(\) must be used:DeprecationWarning"),
    pytest.mark.filterwarnings(r"ignore:ConnectionClosed\.\w+ is deprecated:DeprecationWarning"),
]

AT_ONCE = 4

SECONDS = 6

_AUDIO = SECOND * SECONDS

_STEP = 2 * RATE // 20

CHUNKS = [_AUDIO[first : first + _STEP] for first in range(0, len(_AUDIO), _STEP)]


def finals(story: Story) -> list[str]:
    assert story.errors == []
    assert len(story.terminations) == 1
    return [turn.transcript for turn in story.finals]


async def python_sdk(url: str, key: str) -> list[str]:
    client, story = test_python_sdk.client_of(url, api_key=key)

    def run() -> None:
        client.connect(parameters())
        client.stream(CHUNKS)
        client.disconnect(terminate=True)

    await asyncio.to_thread(run)
    return finals(story)


async def async_python_sdk(url: str, key: str) -> list[str]:
    client, story = test_async_python_sdk.client_of(url, api_key=key)
    async with client:
        await client.connect(parameters())
        await client.stream(CHUNKS)
    return finals(story)


async def websockets(url: str, key: str) -> list[str]:
    address = f"{url}/v3/ws?sample_rate={RATE}"
    async with connect(address, additional_headers={"Authorization": key}, proxy=None) as socket:
        for chunk in CHUNKS:
            await socket.send(chunk)
        await socket.send(json.dumps({"type": "Terminate"}))
        messages = [json.loads(frame) async for frame in socket]
    assert messages[-1]["type"] == "Termination"
    return [turn["transcript"] for turn in messages if turn.get("end_of_turn")]


async def ours(url: str, key: str) -> list[str]:
    async with AsyncClient(url, api_key=key) as client:
        for chunk in CHUNKS:
            await client.send(chunk)
        await client.close()
        return [turn.transcript async for turn in client if turn.end_of_turn]


async def livekit(url: str, key: str) -> list[str]:
    async with test_livekit.stream(url, key, CHUNKS, **test_livekit.CLASSIC) as spoken:
        events = await test_livekit.heard(spoken)
    return test_livekit.texts(events, SpeechEventType.FINAL_TRANSCRIPT)


async def pipecat(url: str, key: str) -> list[str]:
    address = f"{url}/v3/ws"
    async with test_pipecat.talking(address, key, **test_pipecat.CLASSIC) as talk:
        await talk.say(*CHUNKS)
        frames = await talk.rest()
        assert talk.errors() == []
    return pipeline.texts(frames)


@pytest.mark.parametrize(
    "client",
    [python_sdk, async_python_sdk, websockets, ours, livekit, pipecat],
    ids=lambda client: client.__name__,
)
async def test_every_word_is_heard_by_whichever_node(
    cluster: Cluster,
    new_key: NewKey,
    management: Management,
    client: Callable[[str, str], Awaitable[list[str]]],
) -> None:
    account = client.__name__
    key = await new_key(account)
    heard = await asyncio.gather(*(client(cluster.url, key) for _ in range(AT_ONCE)))
    words = [len(" ".join(texts).split()) for texts in heard]
    assert words == [WORDS_A_SECOND * SECONDS] * AT_ONCE
    entries = await management.sessions(account=account, limit=2 * AT_ONCE)
    assert {entry.node for entry in entries} == {node.name for node in cluster.nodes}
    assert [entry.closure for entry in entries] == ["session_ended"] * AT_ONCE
