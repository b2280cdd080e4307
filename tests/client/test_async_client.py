import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from tests.client.servers import BEGIN, address, end, serving, tell, turn, until_terminate
from tests.support import PATIENCE, ManualClock
from turnwire.client import (
    AsyncClient,
    errors,
)
from turnwire.client.leg import PING_SECONDS, PONG_SECONDS
from turnwire.client.messages import Error, SpeechStarted, Turn

LOST = Error(error_code=3005, error="Session Cancelled: An error occurred")


async def polite(socket: ServerConnection) -> None:
    await tell(socket, BEGIN)
    await until_terminate(socket)
    await tell(socket, SpeechStarted(timestamp=5, confidence=1.0), turn("Lights off."))
    await end(socket)


class Diary:
    """Handlers that write down what they are called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.handlers: dict[str, Any] = {
            f"on_{name}": self._writing(name)
            for name in ("begin", "turn", "speech_started", "termination", "error", "close")
        }

    def _writing(self, name: str) -> Callable[[Any], None]:
        return lambda argument: self.calls.append((name, argument))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


async def test_every_callback_in_order() -> None:
    diary = Diary()
    events: list[str] = []
    async with (
        serving(polite) as url,
        AsyncClient(
            url, **diary.handlers, on_event=lambda message: events.append(message.type)
        ) as client,
    ):
        await client.send(bytes(3200))
    assert diary.names == ["begin", "speech_started", "turn", "termination", "close"]
    assert events == ["Begin", "SpeechStarted", "Turn", "Termination"]
    closure = client.closure
    assert closure is not None
    assert diary.calls[-1] == ("close", closure)
    assert (closure.name, closure.complete) == ("session_ended", True)
    assert [record.closure for record in client.sessions] == [closure]
    assert client.audio_seconds == 0.1


async def test_handlers_may_be_coroutines() -> None:
    heard: list[str] = []

    async def hear(turn: Turn) -> None:
        await asyncio.sleep(0)
        heard.append(turn.transcript)

    async with serving(polite) as url, AsyncClient(url, on_turn=hear) as client:
        await client.send(bytes(3200))
    assert heard == ["Lights off."]


async def test_turns_can_be_iterated() -> None:
    async with serving(polite) as url, AsyncClient(url) as client:
        await client.terminate()
        assert [turn.transcript async for turn in client] == ["Lights off."]


@pytest.mark.parametrize("iterating", [True, False])
async def test_an_error_is_raised_where_nobody_hears_of_it(iterating: bool) -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN, turn("One."), Error(error_code=3006, error="Invalid JSON: x"))
        await socket.close(3006, "Invalid JSON: x")

    turns = []
    async with serving(handler) as url:
        with pytest.raises(errors.InvalidJson, match="3006 Invalid JSON: x"):
            async with AsyncClient(url) as client:
                if iterating:
                    async for each in client:
                        turns.append(each)
    assert turns == ([turn("One.")] if iterating else [])


async def test_an_error_calls_on_error_just_before_on_close() -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN, Error(error_code=3006, error="Invalid JSON: x"))
        await socket.close(3006, "Invalid JSON: x")

    diary = Diary()
    async with serving(handler) as url, AsyncClient(url, **diary.handlers) as client:
        pass
    assert diary.names == ["begin", "error", "close"]
    error = diary.calls[1][1]
    assert type(error) is errors.InvalidJson
    assert error.closure is client.closure
    with pytest.raises(errors.InvalidJson):
        await client.send(bytes(3200))


async def test_a_refusal_is_raised_at_once_and_told_to_the_handlers() -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, LOST)
        await socket.close(3005, LOST.error)

    diary = Diary()
    async with serving(handler) as url:
        client = AsyncClient(url, **diary.handlers)
        with pytest.raises(errors.ServerError):
            await client.connect()
        with pytest.raises(errors.ServerError):
            await client.send(bytes(3200))
        assert diary.names == ["error", "close"]
        assert client.sessions == ()
        await client.close()


async def test_a_handler_that_fails_is_logged_and_reported_and_harms_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    diary = Diary()

    def fail(argument: object) -> None:
        raise ZeroDivisionError

    handlers = diary.handlers | {"on_turn": fail, "on_begin": fail}
    async with serving(polite) as url:
        with pytest.raises(errors.HandlerFailed, match="on_begin failed: ZeroDivisionError") as it:
            async with AsyncClient(url, **handlers) as client:
                await client.send(bytes(3200))
    assert isinstance(it.value.__cause__, ZeroDivisionError)
    assert diary.names == ["speech_started", "termination", "close"]
    assert client.closure is not None
    assert client.closure.complete
    assert caplog.messages == [
        "on_begin failed; the session goes on",
        "on_turn failed; the session goes on",
    ]


@pytest.mark.parametrize("name", ["on_begin", "on_turn", "on_error", "on_close"])
async def test_a_handler_may_close(name: str) -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN, turn("One."))
        if name == "on_error":
            await socket.close(3006, "Invalid JSON: x")
        await until_terminate(socket)
        await end(socket)

    closed = asyncio.Event()

    async def close(_: object) -> None:
        await client.close()
        closed.set()

    async with serving(handler) as url:
        client = AsyncClient(url, **{name: close})  # type: ignore[arg-type]
        await client.connect()
        if name == "on_close":
            await client.terminate()
        async with asyncio.timeout(PATIENCE):
            await closed.wait()
            await client.close()
    assert client.closure is not None


async def test_an_exception_in_the_context_closes_at_once() -> None:
    closed: list[int | None] = []

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        await socket.wait_closed()
        closed.append(socket.close_code)

    diary = Diary()
    async with serving(handler) as url:
        with pytest.raises(ZeroDivisionError):
            async with AsyncClient(url, **diary.handlers):
                raise ZeroDivisionError
    assert closed == [1000]
    assert diary.names == ["begin", "close"]
    assert diary.calls[-1][1].name == "closed_here"


async def test_audio_of_any_length_becomes_chunks_that_servers_accept() -> None:
    frames: list[str | bytes] = []

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        frames.extend(await until_terminate(socket))
        await end(socket)

    async with serving(handler) as url, AsyncClient(url) as client:
        for size in (1, 640, 640, 639, 1280, 40_000, 6):
            await client.send(b"\1" * size)
        await client.force_endpoint()
        await client.update(min_turn_silence=300, prompt=None)
        await client.send(b"\2" * 66_000)
        await client.keep_alive()
    audio = [frame for frame in frames if isinstance(frame, bytes)]
    texts = [frame for frame in frames if isinstance(frame, str)]
    assert b"".join(audio).rstrip(b"\0") == b"\1" * 43_206 + b"\2" * 66_000
    lengths = [len(frame) / 32 for frame in audio]
    forced = frames.index('{"type":"ForceEndpoint"}')
    assert all(50 <= length <= 1000 or index == forced - 1 for index, length in enumerate(lengths))
    assert b"".join(f for f in frames[:forced] if isinstance(f, bytes)) == b"\1" * 43_206
    assert json.loads(texts[1]) == {
        "type": "UpdateConfiguration",
        "min_turn_silence": 300,
    }


async def test_a_token_is_asked_for_anew_for_every_connection() -> None:
    paths: list[str] = []

    async def handler(socket: ServerConnection) -> None:
        assert socket.request is not None
        paths.append(socket.request.path)
        await polite(socket)

    given = iter("ab")

    async def provide() -> str:
        return next(given)

    async with serving(handler) as url:
        for token in (provide, lambda: "c"):
            async with AsyncClient(url, token=token, sample_rate=8000):
                pass
    assert paths == ["/v3/ws?sample_rate=8000&token=a", "/v3/ws?sample_rate=8000&token=c"]


async def test_a_token_provider_that_fails() -> None:
    def provide() -> str:
        raise OSError("no token today")

    diary = Diary()
    client = AsyncClient("ws://localhost", token=provide, **diary.handlers)
    with pytest.raises(errors.TokenFailed, match="no token today") as caught:
        await client.connect()
    assert isinstance(caught.value.__cause__, OSError)
    assert diary.names == ["error", "close"]


async def test_misuse_is_said_to_be_misuse() -> None:
    with pytest.raises(errors.AddressError):
        AsyncClient("ws://")
    with pytest.raises(errors.Misuse, match="cannot send opus; it sends pcm_mulaw or pcm_s16le"):
        AsyncClient("ws://localhost", encoding="opus")
    with pytest.raises(errors.Misuse, match="sample_rate"):
        AsyncClient("ws://localhost", sample_rate=8000.5)  # type: ignore[arg-type]
    client = AsyncClient("ws://localhost", encoding="pcm_mulaw")
    for use in (client.send(b""), client.close(), anext(client), client.update(prompt="x")):
        with pytest.raises(errors.Misuse, match="not connected"):
            await use
    async with serving(polite) as url, AsyncClient(url, encoding="pcm_mulaw") as client:
        with pytest.raises(errors.Misuse, match="has been used"):
            await client.connect()
        with pytest.raises(errors.Misuse, match="sent as pcm_s16le"):
            await client.stream_file("talk.wav")
        await client.terminate()
        with pytest.raises(errors.Misuse, match="end of this stream"):
            await client.send(b"")


@pytest.mark.parametrize(
    ("variable", "proxy", "address"),
    [
        ("socks_proxy", "socks5://127.0.0.1:9", "ws://speech.invalid"),
        ("https_proxy", "http://u:secret@127.0.0.1:9", "wss://speech.invalid"),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str, address: str
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, proxy)
    with pytest.raises(errors.ProxyFailed, match=r"The proxy .*127\.0\.0\.1:9 could") as caught:
        await AsyncClient(address).connect()
    assert "secret" not in str(caught.value)


async def test_a_host_that_does_not_exist_is_named() -> None:
    with pytest.raises(errors.HostNotFound, match=r"There is no host speech\.invalid"):
        await AsyncClient("ws://speech.invalid").connect()


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("wss://elsewhere.invalid/v3/ws?token=secret", "wss://elsewhere.invalid/v3/ws"),
        ("https://[::1]:9/v3/ws", "https://[::1]:9/v3/ws"),
        ("/v4/ws", "/v4/ws"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirection_is_named_and_not_followed(
    status: int, location: str, named: str
) -> None:
    keys: list[str | None] = []

    def redirect(connection: ServerConnection, request: Request) -> Response:
        keys.append(request.headers.get("Authorization"))
        return Response(status, "Moved", Headers({"Location": location}))

    async with serve(polite, "127.0.0.1", 0, process_request=redirect) as server:
        url = address(server)
        with pytest.raises(errors.Redirected) as caught:
            await AsyncClient(url, api_key="tw_key").connect()
    assert caught.value.closure.text.startswith(f"{url}/v3/ws redirects to ")
    assert caught.value.closure.text.endswith(named)
    assert caught.value.code == status
    assert keys == ["tw_key"]


@pytest.mark.parametrize("location", [None, "http://[", "\t"])
async def test_a_redirection_to_nowhere_is_a_refusal(location: str | None) -> None:
    def redirect(connection: ServerConnection, request: Request) -> Response:
        return Response(301, "Moved", Headers() if location is None else Headers(Location=location))

    async with serve(polite, "127.0.0.1", 0, process_request=redirect) as server:
        with pytest.raises(errors.HandshakeRefused, match="HTTP status 301"):
            await AsyncClient(address(server)).connect()


async def test_a_program_that_stood_still_does_not_hold_it_against_the_server() -> None:
    """The pong came meanwhile, and is read after the timer has come."""
    clock = ManualClock()
    async with serving(polite) as url:
        client = AsyncClient(url, clock=clock)
        await client.connect()
        clock.advance(PING_SECONDS)
        clock.stall(2 * PONG_SECONDS)
        async with asyncio.timeout(PATIENCE):
            while (client._stream.deadline() or 0.0) < clock.now():
                await asyncio.sleep(0.001)
        await client.close()
    assert [record.closure.name for record in client.sessions if record.closure] == [
        "session_ended"
    ]
