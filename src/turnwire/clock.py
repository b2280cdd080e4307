"""Time, as far as server and client ask for it; a test brings its own."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    def now(self) -> float:
        """Seconds on a clock that never runs backwards."""

    def unix_time(self) -> float:
        """Seconds since 1970."""

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        """Call once `now()` has reached `when`."""


class LoopClock:
    """The running event loop's clock."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def unix_time(self) -> float:
        return time.time()

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_at(when, call)


async def pause(clock: Clock, seconds: float) -> None:
    """Wait until the clock has gone on by so much."""
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    timer = clock.call_at(clock.now() + seconds, lambda: resolve(over))
    try:
        await over
    finally:
        timer.cancel()


def resolve(waited_for: asyncio.Future[None]) -> None:
    """Wake whoever waits, unless they gave up."""
    if not waited_for.done():
        waited_for.set_result(None)
