"""What there is to see of a server, once a second, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from fastapi.sse import format_sse_event

from turnwire.accounts.errors import AccountsError
from turnwire.admin.access import Access, RequestRefused
from turnwire.admin.seen import Seen
from turnwire.admin.views import Nodes, Snapshot
from turnwire.clock import Clock, pause

T = TypeVar("T")

EVERY_SECONDS = 1.0

CHECKED_SECONDS = 5.0
"""How often the database is asked for the nodes, and whether a listener's key was revoked."""

MOST_LISTENERS = 32

CROWDED = "There are as many listeners as there may be; close another page of the console."


class Feed:
    def __init__(self, seen: Seen, access: Access, clock: Clock, stopping: asyncio.Event) -> None:
        self._seen = seen
        self._access = access
        self._clock = clock
        self._stopping = stopping
        self._listeners = 0
        self._nodes = Nodes(items=[])
        self._nodes_at = -CHECKED_SECONDS
        self._made: tuple[float, bytes] = (-EVERY_SECONDS, b"")
        self._making = asyncio.Lock()

    def listen(self, key: int) -> AsyncIterator[bytes]:
        """Events for the bearer of this admin key, until the server stops.

        Raises `RequestRefused`.
        """
        if self._listeners >= MOST_LISTENERS:
            raise RequestRefused(503, CROWDED)
        return self._listen(key)

    async def _listen(self, key: int) -> AsyncIterator[bytes]:
        self._listeners += 1
        try:
            checked = self._clock.now()
            while not self._stopping.is_set():
                if self._clock.now() - checked >= CHECKED_SECONDS:
                    checked = self._clock.now()
                    if not await _or_else(self._access.stands(key), True):
                        return
                yield await self._event()
                await self._wait()
        finally:
            self._listeners -= 1

    async def _event(self) -> bytes:
        """The same for all listeners of a moment."""
        # It may take as long as other processes have to answer. Who comes meanwhile waits for it.
        async with self._making:
            if self._clock.now() - self._made[0] >= EVERY_SECONDS / 2:
                snapshot = (await self._snapshot()).model_dump_json()
                event = format_sse_event(event="snapshot", data_str=snapshot)
                self._made = (self._clock.now(), event)
            return self._made[1]

    async def _snapshot(self) -> Snapshot:
        parts, now = await self._seen.parts(), self._clock.now()
        if now - self._nodes_at >= CHECKED_SECONDS:
            self._nodes_at = now
            self._nodes = await _or_else(self._seen.nodes(parts), self._nodes)
        engine = self._seen.engine(parts)
        live = self._seen.live(parts)
        return Snapshot(at=engine.at, live=live, engine=engine, nodes=self._nodes)

    async def _wait(self) -> None:
        waiting = [
            asyncio.ensure_future(self._stopping.wait()),
            asyncio.ensure_future(pause(self._clock, EVERY_SECONDS)),
        ]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.wait(waiting)


async def _or_else(asked: Awaitable[T], instead: T) -> T:
    """The answer, or something else while the database cannot be reached."""
    try:
        return await asked
    except AccountsError:
        return instead
