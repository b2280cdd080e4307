import asyncio
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.server import ServerConnection

from tests.client.servers import BEGIN, TERMINATION, end, serving, tell, turn, until_terminate
from turnwire.cli.conversation import converse, is_finished
from turnwire.client import AudioFileError, connect
from turnwire.wire.messages import Error, Message


async def polite(socket: ServerConnection) -> None:
    await tell(socket, BEGIN)
    await until_terminate(socket)
    await tell(socket, turn("Lights off."))
    await end(socket)


async def audio(chunks: int) -> AsyncIterator[bytes]:
    for _ in range(chunks):
        yield bytes(3200)


async def test_everything_is_heard_until_the_end() -> None:
    heard: list[Message] = []
    async with serving(polite) as url, connect(url) as session:
        closure, interrupted = await converse(session, audio(3), heard.append)
    assert heard == [turn("Lights off."), TERMINATION]
    assert closure.complete
    assert not interrupted


async def test_a_source_that_fails_ends_the_session_before_it_is_told() -> None:
    async def damaged() -> AsyncIterator[bytes]:
        yield bytes(3200)
        raise AudioFileError("It is damaged.")

    heard: list[Message] = []
    async with serving(polite) as url, connect(url) as session:
        with pytest.raises(AudioFileError, match="damaged"):
            await converse(session, damaged(), heard.append)
    assert heard == [turn("Lights off."), TERMINATION]


async def then_silence() -> AsyncIterator[bytes]:
    yield bytes(3200)
    await asyncio.Event().wait()


async def test_audio_stops_when_the_server_ends_the_session() -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        await socket.recv()
        await tell(socket, Error(error_code=3005, error="Session Cancelled"))
        await socket.close(3005, "Session Cancelled")

    heard: list[Message] = []
    async with serving(handler) as url, connect(url) as session:
        closure, _ = await converse(session, then_silence(), heard.append)
    assert closure.code == 3005
    assert [message.type for message in heard] == ["Error"]


async def test_a_hearer_that_fails_is_not_left_out() -> None:
    def fail(message: Message) -> None:
        raise BrokenPipeError

    async with serving(polite) as url, connect(url) as session:
        with pytest.raises(BrokenPipeError):
            await converse(session, audio(1), fail)


@pytest.mark.parametrize(
    ("ended", "formatted", "finished"),
    [(False, False, False), (True, False, False), (False, True, False), (True, True, True)],
)
def test_the_formatted_end_of_a_turn_is_its_last_message(
    ended: bool, formatted: bool, finished: bool
) -> None:
    assert is_finished(turn("Lights off.", ended=ended, formatted=formatted)) is finished
