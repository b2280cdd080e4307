"""The package `websockets`, with which many applications were written by hand."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from tests.conformance.passage import CHUNKS, RATE, assert_heard
from turnwire.testing import Address, LocalServer
from turnwire.wire.closure import Closure


def opened(place: Address | LocalServer, key: str) -> connect:
    return connect(
        f"{place.url}?sample_rate={RATE}&format_turns=true",
        additional_headers={"Authorization": key},
    )


async def send(socket: ClientConnection) -> None:
    for chunk in CHUNKS:
        await socket.send(chunk)
    await socket.send(json.dumps({"type": "Terminate"}))


async def test_the_passage_is_transcribed(server: LocalServer) -> None:
    async with opened(server, server.api_key) as socket, asyncio.TaskGroup() as tasks:
        tasks.create_task(send(socket))
        # The loop ends without an exception: the close is a normal one.
        messages: list[dict[str, Any]] = [json.loads(frame) async for frame in socket]
    assert messages[0]["type"] == "Begin"
    finals = [turn for turn in messages if turn.get("turn_is_formatted")]
    assert_heard(*(turn["transcript"] for turn in finals))
    assert [turn["turn_order"] for turn in finals] == list(range(len(finals)))
    assert messages[-1]["type"] == "Termination"
    assert (socket.close_code, socket.close_reason) == (1000, "Session Ended")


async def test_an_ending_is_an_error_and_a_close(server: LocalServer, ending: Closure) -> None:
    messages: list[dict[str, Any]] = []
    async with opened(server.rehearsal(ending.row.name), server.api_key) as socket:
        with pytest.raises(ConnectionClosedError) as closed:
            async for frame in socket:
                messages.append(json.loads(frame))
    assert messages[-1] == {"error_code": ending.code, "error": ending.text, "type": "Error"}
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (ending.code, ending.reason)
