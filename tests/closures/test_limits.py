"""Limits hold when everybody comes at once, and slots are free again however a session ends."""

import asyncio
import collections
import json

import pytest

from tests.support import PATIENCE, TERMINATE, Server, converse, serving


async def open_session(server: Server, *, leave: asyncio.Event, kill: bool) -> int:
    """Open a session, keep it until `leave` is set, and give the code of what came first."""
    async with server.connect() as socket:
        first = json.loads(await socket.recv())
        if first["type"] == "Error":
            return int(first["error_code"])
        server.begun += 1  # type: ignore[attr-defined]
        await leave.wait()
        if kill:
            socket.transport.abort()
        else:
            assert (await converse(socket, [TERMINATE])).code == 1000
        return 0


@pytest.mark.parametrize("kill", [False, True], ids=["terminated", "killed"])
async def test_of_two_hundred_at_once_fifty_begin_and_the_others_are_told(kill: bool) -> None:
    async with serving() as server:
        server.begun = 0  # type: ignore[attr-defined]
        await server.store.management.update_account("default", max_sessions=50)
        leave = asyncio.Event()
        clients = [
            asyncio.create_task(open_session(server, leave=leave, kill=kill)) for _ in range(200)
        ]
        staying = set(clients)
        while len(staying) > 50:
            _, staying = await asyncio.wait(staying, return_when=asyncio.FIRST_COMPLETED)
        assert server.begun == 50  # type: ignore[attr-defined]
        leave.set()
        outcomes = collections.Counter(await asyncio.gather(*clients))
        assert outcomes == {0: 50, 3009: 150}

        async with asyncio.timeout(PATIENCE):
            while server.service.open_connections:
                await asyncio.sleep(0.01)  # a loop that spins leaves the database no time
        still_open = await server.store.management.sessions(
            account=None, only_open=True, limit=1000
        )
        assert still_open == []
        assert (await server.converse("", [TERMINATE])).code == 1000


async def test_who_sees_the_close_can_count_on_the_slot() -> None:
    async with serving() as server:
        await server.store.management.update_account("default", max_sessions=1)
        for _ in range(20):
            assert (await server.converse("", [TERMINATE])).code == 1000


async def test_a_setting_gives_1008_for_too_many() -> None:
    async with serving(codes={"too_many_sessions": 1008}) as server:
        await server.store.management.update_account("default", max_sessions=0)
        said = await server.converse()
    assert said.messages[-1]["error_code"] == said.code == 1008
    assert said.reason == "Unauthorized Connection: Too many concurrent sessions"
