"""All that a server can say, said once, so that all clients are seen to understand it.

That they do is asserted after every test here (`conftest.py`), of what was said in that test.
"""

import asyncio
import json
from typing import get_args
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.conformance.passage import AUDIO, CHUNKS, RATE
from tests.conformance.recorder import Recorder
from tests.encodings import messages
from tests.support import (
    TERMINATE,
    Conversation,
    ManualClock,
    converse,
    loud,
    quiet,
    serving,
)
from turnwire.testing import Address, LocalServer
from turnwire.wire.closure import Kind
from turnwire.wire.closures import CLOSURES
from turnwire.wire.encodings import Encoding
from turnwire.wire.messages import LLMGatewayResponse, ServerMessage, SpeakerRevision

MODELS = [
    "universal-streaming-english",
    "universal-streaming-multilingual",
    "universal-3-6-pro",
    "u3-rt-pro",
    "whisper-rt",
]

NEVER_SAID = {SpeakerRevision, LLMGatewayResponse}
"""Messages of what this server does not do."""


async def talk(
    server: LocalServer, *audio: bytes, place: Address | None = None, **query: object
) -> Conversation:
    async with connect(
        f"{(place or server).url}?{urlencode({'sample_rate': RATE, **query})}",
        additional_headers={"Authorization": server.api_key},
    ) as socket:
        return await converse(socket, [*audio, TERMINATE])


def said() -> set[str]:
    return {message.content["type"] for message in Recorder.sent}


@pytest.mark.parametrize("model", MODELS)
async def test_turns_of_every_family(server: LocalServer, model: str) -> None:
    for format_turns in (False, True):
        await talk(
            server,
            *CHUNKS,
            speech_model=model,
            format_turns=format_turns,
            language_detection=True,
            filter_profanity=True,
            keyterms_prompt='["Beckett"]',
        )
    every = {"Begin", "Turn", "Termination"}
    assert said() == every | ({"SpeechStarted"} if "3" in model else set())


@pytest.mark.parametrize("encoding", Encoding)
async def test_turns_from_every_encoding(server: LocalServer, encoding: Encoding) -> None:
    heard = await talk(server, *messages(encoding, AUDIO, RATE), encoding=encoding)
    assert heard.code == 1000
    assert said() == {"Begin", "Turn", "Termination"}


async def test_every_ending(server: LocalServer) -> None:
    rows = [row for row in CLOSURES if row.kind not in (Kind.NORMAL, Kind.HTTP)]
    places = [server.rehearsal(row.name) for row in rows]
    told = await asyncio.gather(*(talk(server, place=place) for place in places))
    assert [each.code for each in told] == [row.code for row in rows]
    assert {each.types[-1] for each in told} == {"Error"}


async def test_what_only_who_asks_for_it_gets() -> None:
    clock = ManualClock()
    query = {
        "speech_model": "universal-3-6-pro",
        "session_heartbeat": True,
        "session_warnings": True,
        "acknowledge_silence": True,
        "inactivity_timeout": 20,
    }
    async with (
        serving(clock=clock, rehearse=True) as server,
        server.connect(urlencode(query)) as socket,
    ):
        await socket.send(loud(1000))
        await hear(socket, "Turn")
        clock.advance(5)
        await hear(socket, "Heartbeat")
        clock.advance(5)
        await hear(socket, "Warning")
        await converse(socket, [quiet(1000), quiet(1000), TERMINATE])
        async with server.connect("recording=true&sample_rate=16000") as recording:
            await converse(recording, [*[quiet(1000)] * 6, TERMINATE])
    sayable = {kind.__name__ for kind in get_args(ServerMessage) if kind not in NEVER_SAID}
    assert said() == sayable - {"Error"}


async def hear(socket: ClientConnection, kind: str) -> None:
    while json.loads(await socket.recv())["type"] != kind:
        pass
