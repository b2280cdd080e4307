"""A leg: one session's part of a stream, and what goes on beside reading it."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from turnwire.client.errors import SessionClosed
from turnwire.client.pacing import Clock
from turnwire.client.session import Session
from turnwire.client.timeline import Cursor, Done

KEEP_ALIVE_SECONDS = 15.0
"""Without anything else to send; at most half of an `inactivity_timeout` that was asked for."""


class Leg:
    """One session, and what it is sent of the timeline. How it ended, its reader finds out."""

    def __init__(
        self,
        session: Session,
        cursor: Cursor,
        *,
        clock: Clock,
        room: asyncio.Event,
        next: "Leg | None" = None,
    ) -> None:
        """`room` is set whenever audio has been sent."""
        self.session = session
        self.start = cursor.position
        self.cursor = cursor
        self.next = next
        """The leg that takes over where this one ends."""
        self._clock = clock
        self._room = room
        self._news = asyncio.Event()
        self._last_sent = clock.now()
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do this until it is done, or the session is over."""

        async def until_over() -> None:
            with suppress(SessionClosed):
                await work()

        self._tasks.append(asyncio.create_task(until_over()))

    def look(self) -> None:
        """There may be something to send."""
        self._news.set()

    async def feed(self) -> None:
        """Send what the cursor gives, and Terminate at its end."""
        while (item := self.cursor.next()) is not Done.DONE:
            match item:
                case None:
                    self._news.clear()
                    await self._news.wait()
                case str():
                    await self.session.say(item)
                    self._last_sent = self._clock.now()
                case bytes():
                    await self.session.send(item)
                    self._last_sent = self._clock.now()
                    self._room.set()
        await self.session.terminate()

    async def keep_alive(self, inactivity_timeout: object) -> None:
        """Send KeepAlive whenever nothing else was sent for a while. Never ends."""
        interval = KEEP_ALIVE_SECONDS
        if isinstance(inactivity_timeout, int | float):
            interval = min(interval, inactivity_timeout / 2)
        while True:
            await self._clock.sleep(self._last_sent + interval - self._clock.now())
            if self._clock.now() - self._last_sent >= interval:
                await self.session.keep_alive()
                self._last_sent = self._clock.now()

    async def stop(self) -> None:
        """End all that goes on beside reading. What it raised is a mistake of this client."""
        for task in self._tasks:
            task.cancel()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

    async def drop(self) -> None:
        """End the session, too."""
        await self.stop()
        await self.session.close()
