"""Every first request is answered, or its connection closed, whatever it is."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from tests.support import PATIENCE, Server, serving
from tests.transport.echo import echoing
from turnwire.transport import front, listener
from turnwire.transport.request import (
    BODY_BYTES,
    HEADERS_BYTES,
    LINE_BYTES,
    MOST_HEADERS,
    BadRequest,
    HeadReader,
)
from turnwire.wire.values import LONGEST_QUERY

KEY = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
VERSION = b"Sec-WebSocket-Version: 13\r\n"
UPGRADE = b"Host: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"


def handshake(path: bytes = b"/v3/ws", headers: bytes = b"", *, line: bytes = b"") -> bytes:
    return (line or b"GET " + path + b" HTTP/1.1") + b"\r\n" + UPGRADE + headers + b"\r\n"


GOOD = KEY + VERSION

ODD = [
    ("an unknown path", handshake(b"/nowhere", GOOD), 404),
    ("a retired path", handshake(b"/v2/realtime/ws", GOOD), 410),
    ("a line too long", handshake(b"/v3/ws?" + b"a" * LINE_BYTES, GOOD), 414),
    ("a line that never ends", b"GET /" + b"a" * (LINE_BYTES + 1), 414),
    ("too many parameters", handshake(b"/v3/ws?" + b"a=1&" * 1001, GOOD), 414),
    ("too many headers", handshake(headers=GOOD + b"A: b\r\n" * MOST_HEADERS), 431),
    ("headers too long", handshake(headers=GOOD + b"A: " + b"b" * HEADERS_BYTES + b"\r\n"), 431),
    ("a body", handshake(headers=GOOD + b"Content-Length: 4\r\n") + b"body", 400),
    ("a body in chunks", handshake(headers=GOOD + b"Transfer-Encoding: chunked\r\n"), 400),
    ("a body too long", handshake(headers=b"Content-Length: %d\r\n" % (BODY_BYTES + 1)), 413),
    ("a length that is none", handshake(headers=GOOD + b"Content-Length: -1\r\n"), 400),
    ("two lengths", b"GET /health HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    ("no key", handshake(headers=VERSION), 400),
    ("two keys", handshake(headers=GOOD + KEY), 400),
    ("a short key", handshake(headers=VERSION + b"Sec-WebSocket-Key: AAAA\r\n"), 400),
    ("no version", handshake(headers=KEY), 426),
    ("an old version", handshake(headers=KEY + b"Sec-WebSocket-Version: 8\r\n"), 426),
    ("POST", handshake(headers=GOOD, line=b"POST /v3/ws HTTP/1.1"), 400),
    ("HTTP/1.0", handshake(headers=GOOD, line=b"GET /v3/ws HTTP/1.0"), 400),
    ("no HTTP", b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
    ("a header without a colon", handshake(headers=GOOD + b"broken\r\n"), 400),
    ("a folded header", handshake(headers=GOOD + b" folded\r\n"), 400),
    ("plain HTTP at the socket's path", b"GET /v3/ws HTTP/1.1\r\nHost: x\r\n\r\n", 426),
    ("POST for a token", b"POST /v3/token HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    (
        "another upgrade",
        b"GET /health HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        200,
    ),
]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


async def ask(server: Server, request: bytes) -> tuple[int, bytes]:
    """The status and the rest of what a raw request is answered with."""
    host, _, port = server.url.removeprefix("ws://").partition(":")
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        body = await reader.readexactly(int(length or 0))
        writer.close()
        return int(head.split()[1]), body


async def test_every_odd_request_is_answered(server: Server) -> None:
    for name, request, status in ODD:
        answer, body = await ask(server, request)
        assert answer == status, name
        assert status == 200 or json.loads(body)["error"], name
    assert (await ask(server, handshake(headers=GOOD)))[0] == 101


async def test_twice_the_largest_legal_request_is_accepted(server: Server) -> None:
    query = b"token=" + b"a" * (2 * LONGEST_QUERY - 100)
    assert (await ask(server, handshake(b"/v3/ws?" + query, GOOD)))[0] == 101


async def test_a_connection_serves_one_plain_request_after_the_other(server: Server) -> None:
    request = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    port = int(server.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request * 3 + handshake(headers=GOOD))
    for _ in range(3):
        assert (await reader.readuntil(b'"status":"ok"')).startswith((b"HTTP/1.1 200", b","))
    assert b"101 Switching" in await reader.readuntil(b"Sec-WebSocket-Accept")
    writer.close()


def test_a_head_may_come_byte_by_byte() -> None:
    reader = HeadReader()
    request = handshake(b"/v3/ws?a=%C3%A9&b", GOOD)
    for byte in request[:-1]:
        assert reader.feed(bytes((byte,))) is None
    found = reader.feed(request[-1:])
    assert found is not None
    assert (found.path, found.query) == ("/v3/ws", [("a", "é"), ("b", "")])
    assert found.wants_websocket


def test_bytes_without_an_end_are_refused_once_they_are_too_many() -> None:
    reader = HeadReader()
    with pytest.raises(BadRequest) as refused:
        for _ in range(LINE_BYTES):
            reader.feed(b"a" * 1000)
    assert refused.value.response.status == 414


async def test_a_head_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(front, "HEAD_SECONDS", 0.05)
    async with echoing() as port, asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        writer.close()
        monkeypatch.setattr(front, "HEAD_SECONDS", 0.5)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTT")
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_half_open_connections_make_room_for_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener, "MOST_HALF_OPEN_OF_ONE", 5)
    monkeypatch.setattr(front, "FIRST_SECONDS", 0.0)
    async with echoing() as port, asyncio.timeout(PATIENCE):
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(handshake(b"/", GOOD))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        writer.close()
        # The oldest were let go of.
        for reader, _ in idle[:4]:
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
        for _, writer in idle:
            writer.close()
    assert caplog.text.count("127.0.0.1 has too many connections") == 1


async def test_a_crowd_that_comes_in_one_moment_is_let_in(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody is dropped who had no time to say what they want."""
    monkeypatch.setattr(front, "FIRST_SECONDS", PATIENCE)
    monkeypatch.setattr(listener, "MOST_HALF_OPEN_OF_ONE", 2)
    monkeypatch.setattr(listener, "MOST_HALF_OPEN", 3)
    async with echoing() as port, asyncio.timeout(PATIENCE):
        crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        for _, writer in crowd:
            writer.write(handshake(b"/", GOOD))
        for reader, _ in crowd:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        for _, writer in crowd:
            writer.close()
    assert "too many connections" not in caplog.text


async def test_a_crowd_has_a_bound(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(front, "FIRST_SECONDS", PATIENCE)
    monkeypatch.setattr(listener, "MOST_HALF_OPEN", 3)
    monkeypatch.setattr(listener, "MOST_IN_A_CROWD", 5)
    async with echoing() as port, asyncio.timeout(PATIENCE):
        crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(6)]
        with suppress(ConnectionResetError):
            assert await crowd[0][0].read() == b""
        for _, writer in crowd:
            writer.close()
    assert caplog.text.count("there are too many connections") == 1
