"""Which stream's audio is listened to next, and how much of it in one turn of the event loop.

Listening takes the loop some milliseconds for each second of audio. Streams that have fallen
behind have seconds of it waiting, all at the same time: without a bound on what they take
together, everything else would wait for all of them.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from turnwire.speech.panics import contained

SHARE_SECONDS = 0.01
"""How long a turn of the loop is listened for; the bite that goes on then is the last."""

Bite = Callable[[], None]
"""Listens to a moment of one stream."""


class Ears:
    """Those of all streams of an engine. Each is heard in the order in which it asks.

    Recordings come after what is live; of them there is one bite in each turn of the loop, and
    more within the same `SHARE_SECONDS`.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._live: deque[tuple[Bite, asyncio.Future[None]]] = deque()
        self._recorded: deque[tuple[Bite, asyncio.Future[None]]] = deque()
        self._next_turn: asyncio.Handle | None = None
        self.spent = 0.0
        """Seconds of CPU on what is live, so far."""

    async def hear(self, bite: Bite, *, recorded: bool) -> None:
        """Have this bite heard. Raises what it raises."""
        loop = asyncio.get_running_loop()
        heard = loop.create_future()
        (self._recorded if recorded else self._live).append((bite, heard))
        if self._next_turn is None:
            self._next_turn = loop.call_soon(self._work)
        await heard

    def _work(self) -> None:
        try:
            self._hear_for_a_turn()
        finally:
            more = self._live or self._recorded
            self._next_turn = asyncio.get_running_loop().call_soon(self._work) if more else None

    def _hear_for_a_turn(self) -> None:
        ends = self._clock() + SHARE_SECONDS
        if self._live:
            began = time.thread_time()
            while self._live and self._clock() < ends:
                _take(*self._live.popleft())
            self.spent += time.thread_time() - began
        if self._recorded:
            _take(*self._recorded.popleft())
        while self._recorded and self._clock() < ends:
            _take(*self._recorded.popleft())


def _take(bite: Bite, heard: "asyncio.Future[None]") -> None:
    if heard.done():
        return  # whoever asked was cancelled
    try:
        bite()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        heard.set_exception(contained(error))
    else:
        heard.set_result(None)
