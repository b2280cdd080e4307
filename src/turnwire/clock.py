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


LATE_SECONDS = 0.5
"""What comes later than this tells of a loop that was blocked, or a process that stood still."""

GRACE_SECONDS = 1.0
"""How long that loop then has for what others sent it meanwhile."""


class PatientTimer:
    """A `Timer` whose call holds something against somebody, such as that nothing came of them.

    Once it was blocked, uvloop comes to its timers before it comes to what its sockets have for it.
    So a call that is late itself is put off by a moment, once.
    """

    __slots__ = ("_call", "_clock", "_due", "_timer")

    def __init__(self, clock: Clock, when: float, call: Callable[[], None]) -> None:
        self._clock = clock
        self._due = max(when, clock.now())
        self._call = call
        self._timer: Timer | None = clock.call_at(when, self._come)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _come(self) -> None:
        now = self._clock.now()
        if now - self._due > LATE_SECONDS:
            self._timer = self._clock.call_at(now + GRACE_SECONDS, self._give_up)
        else:
            self._give_up()

    def _give_up(self) -> None:
        self._timer = None
        self._call()


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
