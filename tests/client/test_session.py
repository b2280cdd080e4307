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
    Closure,
    SessionClosed,
    errors,
)
from turnwire.client import session as session_module
from turnwire.client.session import Session, connect
from turnwire.server.running import running
from turnwire.wire.closures import SESSION_ENDED
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
        assert session.closure is None
        await session.terminate()
        messages = [message async for message in session]

    assert messages == [turn("Lights off."), TERMINATION]
    assert session.closure == Closure(
        row=SESSION_ENDED,
        code=1000,
        reason="Session Ended",
        text="Session Ended",
        by=ClosedBy.SERVER,
        story=(
            "received Begin",
            "sent Terminate",
            "received Termination",
            "received close 1000",
            "sent close 1000",
        ),
        session_id=BEGIN.id,
        audio_seconds=7,
        session_seconds=8,
        terminated=True,
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
    ("code", "text", "reason", "raised"),
    [
        (1008, "Unauthorized Connection: Invalid API key", None, errors.Unauthorized),
        (3006, LONG, "See Error message for details", errors.InvalidJson),
    ],
)
async def test_a_refusal_is_raised_with_all_the_server_said(
    code: int, text: str, reason: str | None, raised: type[SessionClosed]
) -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, Error(error_code=code, error=text))
        await socket.close(code, reason or text)

    async with serving(handler) as url:
        with pytest.raises(SessionClosed) as caught:
            async with connect(url, api_key="never issued"):
                pass

    assert str(caught.value) == (
        f"{code} {text} (closed by the server); "
        f"received Error {code}, received close {code}, sent close {code}. "
        f"{caught.value.closure.advice}"
    )
    assert type(caught.value) is raised
    closure = caught.value.closure
    assert (closure.code, closure.reason, closure.text) == (code, reason or text, text)
    assert (closure.by, closure.session_id) == (ClosedBy.SERVER, None)
    assert (closure.audio_seconds, closure.session_seconds) == (0, 0)


async def test_a_close_before_begin_without_an_error_is_a_refusal_too() -> None:
    async with serving(lambda socket: socket.close(1013, "try again later")) as url:
        with pytest.raises(errors.NoCapacity, match="1013 try again later"):
            async with connect(url):
                pass


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (HTTPStatus.GONE, errors.DeprecatedEndpoint),
        (HTTPStatus.FORBIDDEN, errors.HandshakeRefused),
        (HTTPStatus.TOO_MANY_REQUESTS, errors.HandshakeFailed),
        (HTTPStatus.SERVICE_UNAVAILABLE, errors.HandshakeFailed),
    ],
)
async def test_an_http_status_instead_of_a_session(
    status: HTTPStatus, raised: type[SessionClosed]
) -> None:
    def retired(socket: ServerConnection, request: Request) -> Response:
        return socket.respond(status, "This endpoint is\nretired.")

    async def handler(socket: ServerConnection) -> None:
        raise AssertionError("no session")

    async with serve(handler, "127.0.0.1", 0, process_request=retired) as server:
        url = address(server) + "/v2/realtime/ws"
        with pytest.raises(raised) as caught:
            async with connect(url, token="secret"):
                pass
    assert caught.value.code == status
    assert caught.value.closure.text == (
        f"{url} answered with HTTP status {status} instead of a session: This endpoint is retired"
    )
    assert caught.value.closure.retryable == (raised is errors.HandshakeFailed)


async def test_nobody_there() -> None:
    async with serving(lambda socket: tell(socket, BEGIN)) as url:
        pass
    with pytest.raises(errors.Unreachable, match=f"Could not connect to {url}/v3/ws; is a server"):
        async with connect(url, token="secret"):
            pass


async def test_another_protocol_is_recognized() -> None:
    async with serving(lambda socket: tell(socket, turn("Hello."))) as url:
        with pytest.raises(errors.NotThisProtocol, match="Turn came before Begin"):
            async with connect(url):
                pass


async def test_a_server_that_never_begins_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "OPEN_SECONDS", 0.05)
    async with serving(lambda socket: socket.wait_closed()) as url:
        with pytest.raises(errors.NoBegin, match="did not open a session within"):
            async with connect(url):
                pass


async def test_an_error_during_the_session_ends_reading_and_stands_in_the_closure() -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN, turn("One."), Error(error_code=3006, error=LONG))
        await socket.close(3006, "See Error message for details")

    async with serving(handler) as url, connect(url) as session:
        messages = [message async for message in session]
        with pytest.raises(SessionClosed, match=f"3006 {LONG}"):
            await session.send(b"\0\0" * 800)
        with pytest.raises(SessionClosed):
            await session.terminate()

    assert [message.type for message in messages] == ["Turn", "Error"]
    assert session.closure is not None
    assert (session.closure.code, session.closure.text) == (3006, LONG)
    assert not session.closure.complete


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
        assert session.closure is not None
        assert (session.closure.name, session.closure.code) == ("closed_here", 1000)
        assert session.closure.by is ClosedBy.CLIENT
        assert not session.closure.is_error
        assert not session.closure.complete
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
    assert session.closure is not None
    assert session.closure.by is ClosedBy.CLIENT


async def test_a_connection_lost_without_a_close_frame() -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN, turn("One."))
        socket.transport.abort()

    async with serving(handler) as url, connect(url) as session:
        assert [message async for message in session] in ([turn("One.")], [])
    assert session.closure is not None
    assert (session.closure.name, session.closure.code) == ("connection_lost", 1006)
    assert session.closure.text == "The connection was lost"
    assert session.closure.by is ClosedBy.NEITHER
    assert session.closure.retryable


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
    assert session.closure is not None
    assert session.closure.code == 1006
    assert session.closure.by is ClosedBy.CLIENT
    assert session.closure.reason == "The server did not end the session within 0.05 seconds"


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
    assert session.closure is not None
    assert session.closure.complete
    assert session.closure.audio_seconds == 2


async def test_the_real_server_refuses() -> None:
    async with running("echo") as server:
        with pytest.raises(errors.Unauthorized) as caught:
            async with connect(server.url, api_key="never issued"):
                pass
    assert caught.value.code == 1008
    assert caught.value.closure.text == "Unauthorized Connection: Invalid API key"


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
        assert str(session.closure).startswith(text)


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
    assert session.closure is not None
    assert session.closure.complete
