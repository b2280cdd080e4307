"""A server whose loop was blocked, or that stood still, holds that against no client.

With uvloop, whose loop comes to its timers before it comes to what its sockets have for it.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from tests.support import PATIENCE, ManualClock
from tests.transport.echo import EchoSite, echoing
from tests.transport.rfc6455 import TEXT, frame
from turnwire import clock
from turnwire.clock import GRACE_SECONDS, PatientTimer, Timer
from turnwire.transport import deadlines, front, websocket

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

CLIENT_SECONDS = 0.1
"""What a client has in these tests."""


def on_uvloop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


@pytest.fixture
def always_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every timer counts as late, and is put off by more than a test takes."""
    monkeypatch.setattr(front, "HEAD_SECONDS", CLIENT_SECONDS)
    monkeypatch.setattr(websocket, "PING_SECONDS", CLIENT_SECONDS)
    monkeypatch.setattr(clock, "LATE_SECONDS", -1.0)
    monkeypatch.setattr(clock, "GRACE_SECONDS", PATIENCE)


async def connected(port: int) -> socket.socket:
    """A client that does not wait for the loop when it sends."""
    client = socket.create_connection(("127.0.0.1", port))
    client.setblocking(False)
    return client


async def received(client: socket.socket, until: bytes) -> bytes:
    got = b""
    async with asyncio.timeout(PATIENCE):
        while until not in got:
            some = await asyncio.get_running_loop().sock_recv(client, 4096)
            assert some, f"closed after {got!r}"
            got += some
    return got


async def block(client: socket.socket, data: bytes) -> None:
    """Have the client send this, and the loop kept by what one of its sockets brought."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def read() -> None:
        loop.remove_reader(here)
        client.send(data)
        time.sleep(2 * CLIENT_SECONDS)
        over.set()

    here, there = socket.socketpair()
    with here, there:
        loop.add_reader(here, read)
        there.send(b"!")
        await over.wait()


@pytest.mark.usefixtures("always_late")
def test_a_request_that_came_meanwhile_is_answered() -> None:
    async def see() -> None:
        site = EchoSite()
        async with echoing(site) as port:
            with await connected(port) as client:
                client.send(HANDSHAKE[:10])
                await asyncio.sleep(CLIENT_SECONDS / 4)  # its time runs now
                await block(client, HANDSHAKE[10:])
                assert b" 101 " in await received(client, b"\r\n\r\n")

    on_uvloop(see)


@pytest.mark.usefixtures("always_late")
def test_what_a_client_said_meanwhile_is_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(_: float, ping: Callable[[], None]) -> Timer:
        monkeypatch.setattr(websocket, "after", deadlines.after)
        return asyncio.get_running_loop().call_soon(ping)

    async def see() -> None:
        monkeypatch.setattr(websocket, "after", at_once)
        async with echoing() as port:
            with await connected(port) as client:
                client.send(HANDSHAKE)
                await received(client, websocket.PING_FRAME)
                await block(client, frame(TEXT, b"still here"))
                await received(client, b"still here")

    on_uvloop(see)


def test_who_says_nothing_is_given_up_all_the_same() -> None:
    given_up: list[float] = []
    clock = ManualClock()
    PatientTimer(clock, 5.0, lambda: given_up.append(clock.now()))
    clock.advance(5.0)
    assert given_up == [5.0]

    PatientTimer(clock, 10.0, lambda: given_up.append(clock.now()))
    clock.stall(55.0)
    clock.advance(GRACE_SECONDS / 2)
    assert given_up == [5.0]
    clock.stall(60.0)
    assert given_up == [5.0, 120.0 + GRACE_SECONDS / 2], "it is put off once"
