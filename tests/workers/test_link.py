"""What a worker asks the others, by way of its supervisor."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.workers.clockwork import until
from turnwire.workers.channel import Channel, Message
from turnwire.workers.handing import Handed
from turnwire.workers.link import Link


@asynccontextmanager
async def linked() -> AsyncIterator[tuple[Link, Channel, list[Message]]]:
    """Worker 1, its supervisor's side, and what that was told."""
    told: list[Message] = []
    talking, theirs = socket.socketpair()
    handing, over = socket.socketpair()
    with handing, over:
        supervisor = await Channel.over(theirs, told.append)
        link = Link("server", 1, Handed(over, "ws://here"))
        await link.obey(talking)
        try:
            yield link, supervisor, told
        finally:
            await link.close()
            await supervisor.gone


def answer(supervisor: Channel, asked: Message, text: str) -> None:
    supervisor.tell("expect", id=asked["id"], of=[2], workers=2, deaths=0)
    supervisor.tell("answered", id=asked["id"], by=2, text=text)


async def test_those_who_ask_the_same_meanwhile_share_the_answer() -> None:
    async with linked() as (link, supervisor, told), asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(link.ask("health")) for _ in range(50)]
        other = tasks.create_task(link.ask("cookie", "a"))
        await until(lambda: len(told) >= 2)
        # One who gives up takes the answer from nobody.
        asking[0].cancel()
        assert [(each["question"], each["details"]) for each in told] == [
            ("health", ""),
            ("cookie", "a"),
        ]
        answer(supervisor, told[0], "well")
        answer(supervisor, told[1], "known")
        assert [dict((await each).texts) for each in asking[1:]] == [{2: "well"}] * 49
        assert dict((await other).texts) == {2: "known"}

        # Whoever asks later has a newer one.
        again = tasks.create_task(link.ask("health"))
        await until(lambda: len(told) == 3)
        answer(supervisor, told[2], "busy")
        assert dict((await again).texts) == {2: "busy"}
