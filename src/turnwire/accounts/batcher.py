"""Work that is done together where it comes faster than it is done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Batcher(Generic[T]):
    """Does what comes; what comes meanwhile waits, and is then done at once."""

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[None]]) -> None:
        self._work = work
        self._waiting: list[T] = []
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None
        """Will do what waits."""

    async def submit(self, item: T) -> None:
        """Have it done. Raises what came of its batch.

        It is done even if whoever waits for it is cancelled.
        """
        self._waiting.append(item)
        if self._next is None:
            self._next = asyncio.create_task(self._do_waiting())
        await asyncio.shield(self._next)

    async def finish(self) -> None:
        """Wait until nothing waits."""
        if self._next is not None:
            await asyncio.wait([self._next])

    async def _do_waiting(self) -> None:
        async with self._turn:
            batch, self._waiting, self._next = self._waiting, [], None
            await self._work(batch)
