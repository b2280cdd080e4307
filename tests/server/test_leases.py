"""What counts as an answer of the store: as long as there are any, clients at the door wait."""

import asyncio
from dataclasses import dataclass

import pytest

from tests.support import PATIENCE, ManualClock
from turnwire.accounts.admission import (
    LEASE_SECONDS,
    RENEWAL_SECONDS,
    OpenRegistry,
    Registry,
    Renewal,
    Usage,
)
from turnwire.clock import Clock
from turnwire.server.leases import Leases
from turnwire.wire.closure import Closure
from turnwire.wire.closures import SESSION_ENDED


class Failing(OpenRegistry):
    """Enters no session that ended until it can be reached, and closes lost ones."""

    def __init__(self) -> None:
        self.reachable = False
        self.swept = asyncio.Event()

    async def end(self, session: str, usage: Usage, closure: Closure) -> None:
        if not self.reachable:
            raise OSError("cannot be reached")

    async def close_lost(self) -> int:
        self.swept.set()
        return 0


@dataclass
class Host:
    registry: Registry
    clock: Clock
    outage_seconds: float = 300.0


class Ended:
    """A session, as far as its lease is concerned."""

    def __init__(self, id: str) -> None:
        self.id = id

    def usage(self) -> Usage:
        return Usage()

    def renewed(self, renewal: Renewal) -> None:
        """It ends before."""

    def drain(self, closure: Closure) -> None:
        """It ends before."""


async def test_sessions_that_are_entered_late_are_answers() -> None:
    registry, clock = Failing(), ManualClock()
    leases = Leases(Host(registry, clock))
    for session in (Ended("one"), Ended("two")):
        await leases.begin(session, None, check=lambda: None)
        await leases.end(session, SESSION_ENDED.fill())
    assert (leases.unentered, leases.answers) == (2, 2)
    registry.reachable = True
    keeping = asyncio.create_task(leases.keep())
    await asyncio.sleep(0)
    clock.advance(RENEWAL_SECONDS)
    async with asyncio.timeout(PATIENCE):
        while leases.unentered:
            await asyncio.sleep(0)
    assert leases.answers == 2 + 1 + 2, "the renewal, and both of them"
    await cancelled(keeping)


async def test_lost_sessions_that_are_closed_are_an_answer() -> None:
    registry, clock = Failing(), ManualClock()
    leases = Leases(Host(registry, clock))
    sweeping = asyncio.create_task(leases.sweep())
    await asyncio.sleep(0)
    clock.advance(LEASE_SECONDS)
    async with asyncio.timeout(PATIENCE):
        await registry.swept.wait()
        await asyncio.sleep(0)
    assert leases.answers == 1
    await cancelled(sweeping)


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
