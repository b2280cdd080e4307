"""A supervisor whose workers die, hang and drain, while its loop's clock is put forward."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.workers.clockwork import played, put_forward, until
from turnwire.server.port import Port
from turnwire.server.settings import Settings
from turnwire.workers.supervisor import DRAIN_GRACE_SECONDS, LOOK_SECONDS, LOOKS, Supervisor

ACTING = (sys.executable, "-I", "-S", str(Path(__file__).with_name("acting.py")))

DRAIN_SECONDS = 1000.0


async def told(supervisor: Supervisor, sessions: int) -> None:
    await until(lambda: supervisor.sessions == sessions)


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None, raising=False)


@asynccontextmanager
async def supervising(one: str, other: str) -> AsyncIterator[Supervisor]:
    """One whose workers have these parts."""
    settings = Settings(node="ears", workers=2, drain_seconds=DRAIN_SECONDS)
    command = (*ACTING, f"1={one}", f"2={other}")
    with Port.take() as port:
        supervisor = Supervisor(settings, port, port.url("ws"), command, lambda: None)
        try:
            yield supervisor
        finally:
            closing = asyncio.create_task(supervisor.close())
            # What hangs is killed.
            await asyncio.sleep(0)
            put_forward(1000)
            await closing


def test_one_that_dies_while_others_load_is_started_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test() -> None:
        async with supervising("dies at first", "loads") as supervisor:
            starting = asyncio.create_task(supervisor.start())
            await told(supervisor, 6)
            supervisor.read_certificate()
            await until(lambda: "it is started again in 0 s" in caplog.text)
            await told(supervisor, 6)
            assert not starting.done()
            supervisor.read_certificate()
            await starting
            # It makes no key again, and so goes on.
            await told(supervisor, 7)

    played(test())


def test_one_that_hangs_is_killed_and_started_again(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with supervising("hangs", "drains") as supervisor:
            await supervisor.start()
            assert supervisor.sessions == 6
            for looked in range(1, LOOKS):
                put_forward(LOOK_SECONDS)
                supervisor.read_certificate()
                await told(supervisor, 6 + looked)
            assert "hangs" not in caplog.text
            put_forward(LOOK_SECONDS)
            await until(lambda: "it is started again" in caplog.text)
            assert "hangs: it told nothing for 60 s and is killed." in caplog.text
            assert "Its sessions are lost (3); it is started again in 0 s." in caplog.text
            await told(supervisor, 6 + LOOKS - 1)
            assert caplog.text.count("are lost") == 1

    played(test())


def test_a_server_that_stood_still_kills_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with supervising("drains", "drains") as supervisor:
            await supervisor.start()
            put_forward(10 * LOOKS * LOOK_SECONDS)
            supervisor.read_certificate()
            await told(supervisor, 8)
            assert "hangs" not in caplog.text

    played(test())


@pytest.mark.parametrize("hurried", [False, True])
def test_the_others_do_not_wait_long_for_one_that_hangs_as_they_drain(*, hurried: bool) -> None:
    async def test() -> None:
        async with supervising("hangs", "drains") as supervisor:
            await supervisor.start()
            hurry = asyncio.Event()
            draining = asyncio.create_task(supervisor.drain(hurry))
            await asyncio.sleep(0)
            if hurried:
                hurry.set()
                # Three turns: the event, whoever waits for it, and the drain.
                for _ in range(3):
                    await asyncio.sleep(0)
                assert not draining.done()
            put_forward(DRAIN_GRACE_SECONDS + (0 if hurried else DRAIN_SECONDS))
            await until(draining.done)

    played(test())


def test_sessions_of_one_that_dies_as_it_drains_are_told(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with supervising("dies draining", "drains late") as supervisor:
            await supervisor.start()
            hurry = asyncio.Event()
            draining = asyncio.create_task(supervisor.drain(hurry))
            await until(lambda: "ended by SIGKILL. Its sessions are lost (3)." in caplog.text)
            assert not draining.done()
            hurry.set()
            await until(draining.done)
        # Those that end because they are told to have lost nothing.
        assert caplog.text.count("are lost") == 1

    played(test())
