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

from tests.support import ManualClock
from tests.transport.echo import EchoSite, echoing
from tests.transport.rfc6455 import TEXT, frame
from turnwire import clock
from turnwire.clock import GRACE_SECONDS, PatientTimer, Timer
from turnwire.transport import front, websocket

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

PATIENCE = 0.1
"""Seconds that a client has in these tests."""


def on_uvloop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "HEAD_SECONDS", PATIENCE)
    monkeypatch.setattr(websocket, "PING_SECONDS", PATIENCE)
    monkeypatch.setattr(clock, "LATE_SECONDS", PATIENCE / 2)


async def connected(port: int) -> socket.socket:
    """A client that does not wait for the loop when it sends."""
    client = socket.create_connection(("127.0.0.1", port))
    client.setblocking(False)
    return client


async def received(client: socket.socket, until: bytes) -> bytes:
    got = b""
    async with asyncio.timeout(30):
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
        time.sleep(2 * PATIENCE)
        over.set()

    here, there = socket.socketpair()
    with here, there:
        loop.add_reader(here, read)
        there.send(b"!")
        await over.wait()


def test_a_request_that_came_meanwhile_is_answered() -> None:
    async def see() -> None:
        site = EchoSite()
        async with echoing(site) as port:
            with await connected(port) as client:
                client.send(HANDSHAKE[:10])
                await asyncio.sleep(PATIENCE / 4)  # its time runs now
                await block(client, HANDSHAKE[10:])
                assert b" 101 " in await received(client, b"\r\n\r\n")

    on_uvloop(see)


def test_what_a_client_said_meanwhile_is_a_sign_of_life() -> None:
    async def see() -> None:
        async with echoing() as port:
            with await connected(port) as client:
                client.send(HANDSHAKE)
                await received(client, b"\r\n\r\n")
                await received(client, websocket.PING_FRAME)
                await block(client, frame(TEXT, b"still here"))
                await received(client, b"still here")

    on_uvloop(see)


class StandingClock:
    """Comes to its timers when it is told to."""

    def __init__(self) -> None:
        self.time = 0.0
        self.due: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self.time

    def unix_time(self) -> float:
        raise NotImplementedError

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        self.due.append((when, call))
        return ManualClock().call_at(when, call)

    def run(self, time: float) -> None:
        self.time = time
        due, self.due = self.due, []
        for _, call in due:
            call()


def test_who_says_nothing_is_given_up_all_the_same() -> None:
    given_up: list[float] = []
    clock = StandingClock()
    PatientTimer(clock, 5.0, lambda: given_up.append(clock.time))
    clock.run(5.0)
    assert given_up == [5.0]

    clock.time = 0.0
    PatientTimer(clock, 5.0, lambda: given_up.append(clock.time))
    clock.run(60.0)
    assert clock.due[0][0] == 60.0 + GRACE_SECONDS
    assert given_up == [5.0]
    clock.run(120.0)
    assert given_up == [5.0, 120.0], "it is put off once"
    assert not clock.due
