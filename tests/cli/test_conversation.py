import asyncio
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.server import ServerConnection

from tests.client.servers import BEGIN, end, serving, tell, turn, until_terminate
from turnwire.cli.conversation import converse, is_finished
from turnwire.client import AsyncClient, AudioFileError, errors
from turnwire.client.messages import Error, Turn


async def polite(socket: ServerConnection) -> None:
    await tell(socket, BEGIN)
    await until_terminate(socket)
    await tell(socket, turn("Lights off."))
    await end(socket)


async def audio(chunks: int) -> AsyncIterator[bytes]:
    for _ in range(chunks):
        yield bytes(3200)


async def test_everything_is_heard_until_the_end() -> None:
    heard: list[Turn] = []
    async with serving(polite) as url, AsyncClient(url, on_turn=heard.append) as client:
        assert not await converse(client, audio(3))
    assert heard == [turn("Lights off.")]
    assert client.closure is not None
    assert client.closure.complete


async def test_a_source_that_fails_ends_the_session_before_it_is_told() -> None:
    async def damaged() -> AsyncIterator[bytes]:
        yield bytes(3200)
        raise AudioFileError("It is damaged.")

    heard: list[Turn] = []
    async with serving(polite) as url, AsyncClient(url, on_turn=heard.append) as client:
        with pytest.raises(AudioFileError, match="damaged"):
            await converse(client, damaged())
    assert heard == [turn("Lights off.")]


async def then_silence() -> AsyncIterator[bytes]:
    yield bytes(3200)
    await asyncio.Event().wait()


async def test_audio_stops_when_the_server_ends_the_session() -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        await socket.recv()
        await tell(socket, turn("One."), Error(error_code=3006, error="Invalid JSON: x"))
        await socket.close(3006, "Invalid JSON: x")

    heard: list[Turn] = []
    async with serving(handler) as url:
        with pytest.raises(errors.InvalidJson):
            async with AsyncClient(url, on_turn=heard.append) as client:
                await converse(client, then_silence())
    assert heard == [turn("One.")]


async def test_audio_stops_when_that_is_asked_for() -> None:
    stop = asyncio.Event()
    async with serving(polite) as url, AsyncClient(url, on_turn=lambda turn: None) as client:
        asyncio.get_running_loop().call_soon(stop.set)
        assert not await converse(client, then_silence(), stop)
    assert client.closure is not None
    assert client.closure.complete


@pytest.mark.parametrize(
    ("ended", "formatted", "finished"),
    [(False, False, False), (True, False, False), (False, True, False), (True, True, True)],
)
def test_the_formatted_end_of_a_turn_is_its_last_message(
    ended: bool, formatted: bool, finished: bool
) -> None:
    assert is_finished(turn("Lights off.", ended=ended, formatted=formatted)) is finished
