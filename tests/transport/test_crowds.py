"""How many connections without a session there are, whoever comes and when."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from tests.support import PATIENCE, ManualClock
from tests.transport.echo import EchoSite
from turnwire.transport import deadlines, front, listener
from turnwire.transport.arrivals import Welcome
from turnwire.transport.listener import Listener
from turnwire.transport.notices import Notices

IN_ALL, OF_ONE, CROWD = 8, 3, 20


class ByHand:
    """Brings the connections that a test has come, all in one turn of the loop."""

    def start(self, welcome: Welcome) -> None:
        self._welcome = welcome
        self.clients: list[socket.socket] = []

    def stop(self) -> None:
        """Nobody listens."""

    def come(self, *addresses: str) -> None:
        for address in addresses:
            here, there = socket.socketpair()
            here.setblocking(False)
            self.clients.append(here)
            self._welcome(there, address)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    monkeypatch.setattr(listener, "MOST_HALF_OPEN", IN_ALL)
    monkeypatch.setattr(listener, "MOST_HALF_OPEN_OF_ONE", OF_ONE)
    monkeypatch.setattr(listener, "MOST_IN_A_CROWD", CROWD)
    clock = ManualClock()
    monkeypatch.setattr(deadlines, "_CLOCK", clock)
    return clock


@contextlib.asynccontextmanager
async def listening(arrivals: ByHand) -> AsyncIterator[Listener]:
    here = Listener(arrivals, EchoSite(), notices=Notices())
    here.start()
    yield here
    here.stop_accepting()
    async with asyncio.timeout(PATIENCE):
        await here.close()
        assert here.half_open == 0
        for client in arrivals.clients:
            with client:
                await until_closed(client)


async def until_closed(client: socket.socket) -> None:
    async with asyncio.timeout(PATIENCE):
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.get_running_loop().sock_recv(client, 1) == b""


def is_open(client: socket.socket) -> bool:
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True


ONE = ["10.0.0.1"] * CROWD
MANY = [f"10.0.0.{n}" for n in range(CROWD)]


@pytest.mark.parametrize(("addresses", "most"), [(ONE, OF_ONE), (MANY, IN_ALL)])
async def test_the_bounds_come_back_after_a_crowd(
    clock: ManualClock, addresses: list[str], most: int
) -> None:
    arrivals = ByHand()
    async with listening(arrivals) as here:
        arrivals.come(*addresses)
        assert here.half_open == CROWD
        clock.advance(front.FIRST_SECONDS)
        arrivals.come(addresses[0])
        assert here.half_open == most


async def test_where_there_are_too_many_those_with_most_lose_their_oldest(
    clock: ManualClock,
) -> None:
    arrivals = ByHand()
    async with listening(arrivals) as here:
        arrivals.come("10.0.0.1", "10.0.0.2", *["10.0.0.3"] * (CROWD - 2))
        clock.advance(front.FIRST_SECONDS)
        arrivals.come("10.0.0.4")
        assert here.half_open == IN_ALL
        for client in arrivals.clients[2 : CROWD - IN_ALL + 3]:
            await until_closed(client)
        assert all(map(is_open, arrivals.clients[:2]))
        assert all(map(is_open, arrivals.clients[CROWD - IN_ALL + 3 :]))


@pytest.mark.parametrize("addresses", [ONE, MANY])
async def test_no_more_than_a_crowd_come_in_one_turn(
    clock: ManualClock, addresses: list[str]
) -> None:
    arrivals = ByHand()
    async with listening(arrivals) as here:
        arrivals.come(*addresses, *addresses)
        assert here.half_open == CROWD
        # None of them was connected yet.
        for client in arrivals.clients[:CROWD]:
            await until_closed(client)
        assert all(map(is_open, arrivals.clients[CROWD:]))


async def test_what_is_let_go_of_in_the_turn_in_which_it_came_is_gone(clock: ManualClock) -> None:
    arrivals = ByHand()
    async with listening(arrivals) as here:
        arrivals.come("10.0.0.1")
        assert here.half_open == 1
