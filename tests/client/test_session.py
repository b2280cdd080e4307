import asyncio
import json
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from tests.client.servers import (
    BEGIN,
    TERMINATION,
    address,
    end,
    serving,
    tell,
    turn,
    until_terminate,
)
from turnwire.client import (
    ClosedBy,
    Closing,
    ConnectionFailed,
    Refused,
    Session,
    SessionClosed,
    connect,
)
from turnwire.client import session as session_module
from turnwire.server.running import running
from turnwire.wire.messages import Error, Message, Turn

LOUD = b"\x40\x1f" * 1600
QUIET = bytes(3200)


async def test_a_whole_session() -> None:
    received: list[str | bytes] = []

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        received.extend(await until_terminate(socket))
        await tell(socket, turn("Lights off."))
        await end(socket)

    async with serving(handler) as url, connect(url, api_key="k1") as session:
        assert session.begin == BEGIN
        await session.send(b"\1\0" * 800)
        await session.force_endpoint()
        await session.keep_alive()
        await session.update(min_turn_silence=300, only_newer_servers_know="this")
        assert session.closing is None
        await session.terminate()
        messages = [message async for message in session]

    assert messages == [turn("Lights off."), TERMINATION]
    assert session.closing == Closing(
        code=1000, reason="Session Ended", by=ClosedBy.SERVER, termination=TERMINATION
    )
    assert received[0] == b"\1\0" * 800
    assert [json.loads(text) for text in received[1:]] == [
        {"type": "ForceEndpoint"},
        {"type": "KeepAlive"},
        {
            "type": "UpdateConfiguration",
            "min_turn_silence": 300,
            "only_newer_servers_know": "this",
        },
    ]


async def test_the_key_goes_into_the_header_as_it_is_and_parameters_into_the_query() -> None:
    requests: list[Request] = []

    async def handler(socket: ServerConnection) -> None:
        assert socket.request is not None
        requests.append(socket.request)
        await tell(socket, BEGIN)

    async with serving(handler) as url:
        async with connect(url, api_key="k1", sample_rate=8000, format_turns=True):
            pass
        async with connect(url, token="t1"):
            pass

    assert requests[0].path == "/v3/ws?sample_rate=8000&format_turns=true"
    assert requests[0].headers["Authorization"] == "k1"
    assert requests[1].path == "/v3/ws?token=t1"
    assert "Authorization" not in requests[1].headers


async def test_a_proxy_in_the_environment_does_not_come_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with serving(lambda socket: tell(socket, BEGIN)) as url, connect(url) as session:
        assert session.begin == BEGIN


LONG = "Invalid JSON: " + "x" * 150


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (1008, "Unauthorized Connection: Invalid API key", None),
        (3006, LONG, "See Error message for details"),
    ],
)
async def test_a_refusal_is_raised_with_all_the_server_said(
    code: int, text: str, reason: str | None
) -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, Error(error_code=code, error=text))
        await socket.close(code, reason or text)

    async with serving(handler) as url:
        with pytest.raises(Refused) as caught:
            async with connect(url, api_key="never issued"):
                pass

    assert str(caught.value) == (
        f"The server refused the session: {code} {text} (closed by the server)"
    )
    assert caught.value.closing == Closing(
        code=code,
        reason=reason or text,
        by=ClosedBy.SERVER,
        error=Error(error_code=code, error=text),
    )


async def test_a_close_before_begin_without_an_error_is_a_refusal_too() -> None:
    async with serving(lambda socket: socket.close(1013, "try again later")) as url:
        with pytest.raises(Refused, match="1013 try again later"):
            async with connect(url):
                pass


async def test_an_http_status_instead_of_a_session() -> None:
    def retired(socket: ServerConnection, request: Request) -> Response:
        return socket.respond(HTTPStatus.GONE, "This endpoint is\nretired.")

    async def handler(socket: ServerConnection) -> None:
        raise AssertionError("no session")

    async with serve(handler, "127.0.0.1", 0, process_request=retired) as server:
        url = address(server) + "/v2/realtime/ws"
        with pytest.raises(ConnectionFailed) as caught:
            async with connect(url, token="secret"):
                pass
    assert str(caught.value) == (
        f"{url} answered with HTTP status 410 instead of a session: This endpoint is retired."
    )


async def test_nobody_there() -> None:
    async with serving(lambda socket: tell(socket, BEGIN)) as url:
        pass
    with pytest.raises(ConnectionFailed, match=f"Could not connect to {url}/v3/ws; is a server"):
        async with connect(url, token="secret"):
            pass


async def test_another_protocol_is_recognized() -> None:
    async with serving(lambda socket: tell(socket, turn("Hello."))) as url:
        with pytest.raises(ConnectionFailed, match="Turn came before Begin"):
            async with connect(url):
                pass


async def test_a_server_that_never_begins_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "OPEN_SECONDS", 0.05)
    async with serving(lambda socket: socket.wait_closed()) as url:
        with pytest.raises(ConnectionFailed, match="did not open a session within"):
            async with connect(url):
                pass


async def test_an_error_during_the_session_ends_reading_and_stands_in_the_closing() -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN, turn("One."), Error(error_code=3006, error=LONG))
        await socket.close(3006, "See Error message for details")

    async with serving(handler) as url, connect(url) as session:
        messages = [message async for message in session]
        with pytest.raises(SessionClosed, match=f"The session is over: 3006 {LONG}"):
            await session.send(b"\0\0" * 800)
        with pytest.raises(SessionClosed):
            await session.terminate()

    assert [message.type for message in messages] == ["Turn", "Error"]
    assert session.closing is not None
    assert (session.closing.code, session.closing.text) == (3006, LONG)
    assert not session.closing.complete


async def send_without_end(session: Session) -> None:
    while True:
        await session.send(b"\0\0" * 800)


async def test_what_came_before_the_end_can_be_read_after_sending_failed() -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN, turn("One."), Error(error_code=3005, error="Session Cancelled"))
        await socket.close(3005, "Session Cancelled")

    async with serving(handler) as url, connect(url) as session:
        with pytest.raises(SessionClosed, match="3005 Session Cancelled"):
            await send_without_end(session)
        assert [message.type async for message in session] == ["Turn", "Error"]


async def test_leaving_early_closes_and_still_tells_how_it_ended() -> None:
    closed: list[int | None] = []

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN, turn("One."))
        await socket.wait_closed()
        closed.append(socket.close_code)

    async with serving(handler) as url:
        async with connect(url) as session:
            pass
        assert session.closing == Closing(code=1000, reason="", by=ClosedBy.CLIENT)
        assert not session.closing.complete
    assert closed == [1000]


async def test_leaving_while_another_task_is_reading() -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN, turn("One."))
        await socket.wait_closed()

    heard: list[Message] = []
    reads = asyncio.Event()

    async with serving(handler) as url:
        async with connect(url) as session:

            async def read() -> None:
                async for message in session:
                    heard.append(message)
                    reads.set()

            reading = asyncio.create_task(read())
            await reads.wait()
        await reading
    assert heard == [turn("One.")]
    assert session.closing is not None
    assert session.closing.by is ClosedBy.CLIENT


async def test_a_connection_lost_without_a_close_frame() -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN, turn("One."))
        socket.transport.abort()

    async with serving(handler) as url, connect(url) as session:
        assert [message async for message in session] in ([turn("One.")], [])
    assert session.closing == Closing(
        code=1006, reason="The connection was lost", by=ClosedBy.NEITHER
    )


@pytest.mark.parametrize("said", [(), (TERMINATION,), (turn("One."),)])
async def test_a_server_that_does_not_end_is_dropped_after_terminate(
    said: tuple[Message, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "END_SECONDS", 0.05)
    monkeypatch.setattr(session_module, "CLOSE_SECONDS", 0.05)

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        await until_terminate(socket)
        await tell(socket, *said)
        await socket.wait_closed()

    async with serving(handler) as url, connect(url) as session:
        await session.terminate()
        assert [message async for message in session] == list(said)
    assert session.closing is not None
    assert session.closing.code == 1006
    assert session.closing.by is ClosedBy.CLIENT
    assert session.closing.reason == "The server did not end the session within 0.05 seconds"


async def test_messages_of_a_newer_server_are_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        await socket.send('{"type": "Applause", "loudness": 11}')
        await socket.send("no JSON")
        await tell(socket, turn("One."))
        await until_terminate(socket)
        await end(socket)

    async with serving(handler) as url, connect(url) as session:
        await session.terminate()
        turns = [message async for message in session if isinstance(message, Turn)]
    assert turns == [turn("One.")]
    assert caplog.messages == ["Passed over a message that is not of this protocol."] * 2


async def test_a_session_with_the_real_server() -> None:
    async with (
        running("echo") as server,
        connect(server.url, api_key=server.api_key, format_turns=True) as session,
    ):
        for chunk in (*[LOUD] * 5, *[QUIET] * 20):
            await session.send(chunk)
        await session.terminate()
        messages = [message async for message in session]
    turns = [message for message in messages if isinstance(message, Turn)]
    assert turns[-1].end_of_turn
    assert turns[-1].transcript == "one two"
    assert session.closing is not None
    assert session.closing.complete
    assert session.closing.termination == messages[-1]


async def test_the_real_server_refuses() -> None:
    async with running("echo") as server:
        with pytest.raises(Refused) as caught:
            async with connect(server.url, api_key="never issued"):
                pass
    assert caught.value.closing.code == 1008
    assert caught.value.closing.text == "Unauthorized Connection: Invalid API key"


@pytest.mark.parametrize(
    ("chunk", "text"),
    [
        (b"\0\0" * 19_200, "3007 Input duration violation: 1200"),
        (b"\0" * 131_073, "1009"),
    ],
)
async def test_the_real_server_ends_a_session_early(chunk: bytes, text: str) -> None:
    async with running("echo") as server:
        async with connect(server.url, api_key=server.api_key) as session:
            await session.send(chunk)
            async for _ in session:
                pass
        assert str(session.closing).startswith(text)


async def test_a_source_that_never_waits_does_not_keep_messages_out() -> None:
    heard = asyncio.Event()

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        await socket.recv()
        await tell(socket, turn("One."))
        await until_terminate(socket)
        await end(socket)

    async def read(session: Session) -> None:
        async for _ in session:
            heard.set()

    async with serving(handler) as url, connect(url) as session:
        reading = asyncio.create_task(read(session))
        while not heard.is_set():
            await session.send(bytes(3200))
        await session.terminate()
        await reading
    assert session.closing is not None
    assert session.closing.complete
