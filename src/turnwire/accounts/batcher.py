"""Work that is done together where it comes faster than it is done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Batcher(Generic[T, R]):
    """Does what comes; what comes meanwhile waits, and is then done together."""

    def __init__(
        self, work: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, at_once: int
    ) -> None:
        """`work` gives what came of each, in their order; it gets `at_once` of them at most."""
        self._work = work
        self._at_once = at_once
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._working: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """Have it done; gives what came of it. Raises what came of its batch.

        It is done even if whoever waits for it is cancelled.
        """
        outcome: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, outcome))
        if self._working is None:
            self._working = asyncio.create_task(self._do_waiting())
        return await outcome

    async def finish(self) -> None:
        """Wait until nothing waits."""
        if self._working is not None:
            await asyncio.wait([self._working])

    async def _do_waiting(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._at_once]
                del self._waiting[: self._at_once]
                await self._do(batch)
        finally:
            self._working = None

    async def _do(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self._work([item for item, _ in batch])
        except Exception as error:
            for _, outcome in batch:
                if not outcome.done():
                    outcome.set_exception(error)
            return
        for (_, outcome), result in zip(batch, results, strict=True):
            if not outcome.done():
                outcome.set_result(result)
