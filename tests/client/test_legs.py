"""What goes on beside reading: KeepAlive, and renewal that does not work out."""

import asyncio
import itertools
import logging
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from tests.client.servers import BEGIN, end, serving, tell, until_terminate
from tests.client.test_rollover import SharedTime
from tests.support import PATIENCE
from turnwire.client import AsyncClient
from turnwire.client.sending import KEEP_ALIVE


@pytest.mark.parametrize(
    ("parameters", "seconds"), [({}, 15), ({"inactivity_timeout": 8}, 4)], ids=["default", "asked"]
)
async def test_a_client_that_is_idle_keeps_its_session_alive(
    parameters: dict[str, Any], seconds: int
) -> None:
    received: list[str | bytes] = []

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        received.extend(await until_terminate(socket))
        await end(socket)

    time = SharedTime()
    async with serving(handler) as url, AsyncClient(url, clock=time, **parameters) as client:
        for _ in range(seconds * 2):
            await time.pass_time(1)
        await client.send(bytes(3200))
        for _ in range(seconds - 1):
            await time.pass_time(1)
    assert received == [KEEP_ALIVE] * 2 + [bytes(3200)]


async def test_a_session_that_cannot_be_renewed_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    connections = itertools.count()
    time = SharedTime()
    begin = replace(BEGIN, expires_at=int(time.unix_time()) + 20)

    async def handler(socket: ServerConnection) -> None:
        if next(connections):
            await socket.close(3009, "Unauthorized Connection: Too many concurrent sessions")
            return
        await tell(socket, begin)
        await until_terminate(socket)
        await end(socket)

    async with serving(handler) as url, AsyncClient(url, clock=time) as client:
        while not caplog.records:
            await time.pass_time(1)
    assert caplog.record_tuples[0][1] == logging.WARNING
    assert "The session could not be renewed: 3009" in caplog.text
    assert next(connections) == 2
    assert len(client.sessions) == 1


async def test_a_session_that_ends_while_the_next_one_waits_leaves_nothing_open() -> None:
    waiting = asyncio.Event()
    closed = asyncio.Event()
    connections = itertools.count()
    time = SharedTime()
    begin = replace(BEGIN, expires_at=int(time.unix_time()) + 20)

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, begin)
        if next(connections):
            waiting.set()
            await socket.wait_closed()
            closed.set()
            return
        await until_terminate(socket)
        await end(socket)

    async with serving(handler) as url, AsyncClient(url, clock=time) as client:
        await client.send(b"\1\x20" * 1600)
        while not waiting.is_set():
            await time.pass_time(1)
    async with asyncio.timeout(PATIENCE):
        await closed.wait()
    assert len(client.sessions) == 1
