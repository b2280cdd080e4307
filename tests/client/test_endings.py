"""How sessions end that a nasty server ends, and what of it a program is told."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tests.cli.conftest import serving_in_thread
from tests.client.servers import TERMINATE
from tests.support import PATIENCE
from turnwire.client import AsyncClient, Client, SessionClosed, leg

BEGIN: dict[str, Any] = {"type": "Begin", "id": "s", "expires_at": 0}
TERMINATION = {"type": "Termination", "audio_duration_seconds": 1, "session_duration_seconds": 1}
ENDED = "Session Ended"
CANCELLED = "Session Cancelled: An error occurred"
EXPIRED = "Session Expired: Maximum session duration exceeded"
KEY = "Unauthorized Connection: Invalid API key"
RATE = "Audio Transmission Rate Exceeded: Received 9.0 sec. audio in 1.0 sec"


def error(code: object, text: str) -> dict[str, Any]:
    return {"type": "Error", "error_code": code, "error": text}


def close(code: int, reason: str = "") -> Callable[[ServerConnection], Any]:
    return lambda socket: socket.close(code, reason)


def raw_close(payload: bytes) -> Callable[[ServerConnection], Any]:
    """A close frame with this content, which no library would send."""
    return raw(b"\x88" + bytes([len(payload)]) + payload)


def raw(data: bytes) -> Callable[[ServerConnection], Any]:
    async def send(socket: ServerConnection) -> None:
        socket.transport.write(data)

    return send


async def drop(socket: ServerConnection) -> None:
    """Once all that was said has been read: a connection that breaks may take the rest with it."""
    with suppress(ConnectionClosed):
        await (await socket.ping())
    socket.transport.abort()


async def half_close(socket: ServerConnection) -> None:
    socket.transport.write_eof()


async def nothing(socket: ServerConnection) -> None:
    """Neither a close nor an end of the connection."""


async def terminate(socket: ServerConnection) -> None:
    """Wait until the end is asked for."""
    async for frame in socket:
        if frame == TERMINATE:
            return


CUT_REASON = (3005).to_bytes(2, "big") + "Session übe".encode()[:-2]

ENDINGS: list[tuple[list[Any], str]] = [
    # After Termination it ended well, whatever comes.
    ([BEGIN, terminate, TERMINATION, close(1000, ENDED)], "session_ended"),
    ([BEGIN, terminate, TERMINATION, close(1000)], "session_ended"),
    ([BEGIN, terminate, TERMINATION, close(1001)], "session_ended"),
    ([BEGIN, terminate, TERMINATION, close(1011, "oops")], "session_ended"),
    ([BEGIN, terminate, TERMINATION, close(3005, CANCELLED)], "session_ended"),
    ([BEGIN, terminate, TERMINATION, raw_close(b"")], "session_ended"),
    ([BEGIN, terminate, TERMINATION, raw_close(b"\x03")], "session_ended"),
    ([BEGIN, terminate, TERMINATION, raw_close(CUT_REASON)], "session_ended"),
    ([BEGIN, terminate, TERMINATION, drop], "session_ended"),
    ([BEGIN, terminate, TERMINATION, half_close], "session_ended"),
    ([BEGIN, terminate, TERMINATION, nothing], "session_ended"),
    ([BEGIN, terminate, TERMINATION, error(3005, CANCELLED), close(3005)], "session_ended"),
    ([BEGIN, terminate, TERMINATION, TERMINATION, close(1000)], "session_ended"),
    ([BEGIN, terminate, {"type": "Termination"}, close(1000)], "session_ended"),
    ([BEGIN, terminate, TERMINATION | {"audio_duration_seconds": 45.2}, drop], "session_ended"),
    ([BEGIN, terminate, TERMINATION | {"audio_duration_seconds": None}, drop], "session_ended"),
    ([BEGIN, terminate, TERMINATION, raw(b"\xff\xff"), nothing], "session_ended"),
    # An Error decides, whatever close follows.
    ([BEGIN, error(3005, CANCELLED), close(3005, CANCELLED)], "server_error"),
    ([BEGIN, error(3005, CANCELLED), close(1000)], "server_error"),
    ([BEGIN, error(3005, CANCELLED), raw_close(CUT_REASON)], "server_error"),
    ([BEGIN, error(3005, CANCELLED), raw_close(b"")], "server_error"),
    ([BEGIN, error(3005, CANCELLED), drop], "server_error"),
    ([BEGIN, error(3005, CANCELLED), nothing], "server_error"),
    ([BEGIN, error(3005, CANCELLED), TERMINATION, close(1000)], "server_error"),
    ([BEGIN, error(3005, CANCELLED), error(3008, EXPIRED), close(3008)], "server_error"),
    ([BEGIN, error(3007, RATE), close(1000)], "transmission_rate"),
    ([BEGIN, error(3008, EXPIRED), close(3008, EXPIRED)], "session_expired"),
    ([BEGIN, error(3008, EXPIRED), nothing], "session_expired"),
    ([BEGIN, error(3008, EXPIRED), close(1006 + 5)], "session_expired"),
    ([BEGIN, error(None, EXPIRED), close(3008)], "session_expired"),
    ([BEGIN, error(None, EXPIRED), drop], "session_expired"),
    ([BEGIN, {"error": CANCELLED}, close(3005)], "server_error"),
    ([BEGIN, error("3005", CANCELLED), drop], "server_error"),
    ([BEGIN, error(3005, ""), close(3005, CANCELLED)], "server_error"),
    ([error(1008, KEY), close(1008, KEY)], "unauthorized"),
    ([error(1008, KEY), close(1000)], "unauthorized"),
    ([error(1008, KEY), drop], "unauthorized"),
    ([error(1008, KEY), nothing], "unauthorized"),
    # Without either, the close does, or its absence.
    ([BEGIN, close(1000)], "no_termination"),
    ([BEGIN, terminate, close(1000, ENDED)], "no_termination"),
    ([BEGIN, close(1001)], "going_away"),
    ([BEGIN, close(1012)], "service_restart"),
    ([BEGIN, close(1014)], "bad_gateway"),
    ([BEGIN, close(3008, EXPIRED)], "session_expired"),
    ([BEGIN, close(4321, "?")], "unknown_closure"),
    ([BEGIN, raw_close(b"")], "connection_lost"),
    ([BEGIN, raw_close(CUT_REASON)], "server_error"),
    ([BEGIN, raw(b"\xff\xff\xff")], "connection_lost"),
    ([BEGIN, raw(b"\x81\x02\xff\xfe")], "connection_lost"),
    ([BEGIN, drop], "connection_lost"),
    ([BEGIN, half_close], "connection_lost"),
    ([BEGIN, terminate, drop], "connection_lost"),
    ([BEGIN, terminate, nothing], "not_ended"),
    ([{"type": "Warning"}, BEGIN, terminate, TERMINATION, close(1000)], "session_ended"),
    ([BEGIN, BEGIN, terminate, TERMINATION, close(1000)], "session_ended"),
    ([TERMINATION, close(1000)], "not_this_protocol"),
    ([close(1013, "full")], "no_capacity"),
    ([close(1000)], "no_termination"),
    ([drop], "connection_lost"),
    ([nothing], "no_begin"),
]


@pytest.mark.parametrize("kind", [AsyncClient, Client])
@pytest.mark.parametrize(("does", "name"), ENDINGS)
async def test_how_it_ended(
    does: list[Any],
    name: str,
    kind: type[AsyncClient] | type[Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if nothing in does:
        # What the client gives up waiting for. All else may take its time.
        for limit in ("OPEN_SECONDS",) if does == [nothing] else ("CLOSE_SECONDS", "END_SECONDS"):
            monkeypatch.setattr(leg, limit, 1.0)

    async def handler(socket: ServerConnection) -> None:
        for each in does:
            if isinstance(each, dict):
                await socket.send(json.dumps(each))
            else:
                await each(socket)
        await socket.wait_closed()

    calls: list[tuple[str, Any]] = []

    def noting(called: str) -> Any:
        return lambda argument: calls.append((called, argument))

    def use(url: str) -> Client:
        client = Client(url, reconnect=None, on_error=noting("error"), on_close=noting("close"))
        with client:
            pass
        return client

    with serving_in_thread(handler) as url:
        async with asyncio.timeout(PATIENCE):
            client: AsyncClient | Client
            try:
                if kind is Client:
                    await asyncio.to_thread(use, url)
                else:
                    client = AsyncClient(
                        url, reconnect=None, on_error=noting("error"), on_close=noting("close")
                    )
                    async with client:
                        pass
            except SessionClosed:
                pass
    closure = calls[-1][1]
    assert closure.name == name, closure
    assert [called for called, _ in calls] == (
        ["error", "close"] if closure.is_error else ["close"]
    )
    assert closure.complete == (name == "session_ended")
