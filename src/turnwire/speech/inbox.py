"""What a stream has been given and has not come to yet."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_SECONDS = 60.0
"""How much audio may wait before whoever brings more does."""

_RECORDING_S = 1.0
"""Audio that came so much faster than it is spoken is a recording."""

_FIRST_LEAD_S = 0.9
"""So a recording is known for one from its first moments, and live audio soon is, too."""

_CREDIT_S = 30.0
"""How much audio may come at once after a time without any, and still be live."""

_FORGIVEN = 0.1
"""How much of a lead is forgotten per second: what a client had kept until it was connected makes
its stream no recording for good."""


class Inbox(Generic[T]):
    """Audio at `sample_rate` Hz, and what is asked for between two pieces of it, in order."""

    def __init__(
        self,
        sample_rate: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        most_seconds: float = MOST_SECONDS,
    ) -> None:
        """`clock` gives seconds; `most_seconds` of audio may wait."""
        self._clock = clock
        self._rate = sample_rate
        self.came = clock()
        """When audio came last."""
        self._lead = _FIRST_LEAD_S  # seconds of audio that came before they were spoken
        self._items: deque[tuple[T, int]] = deque()
        self._most = most_seconds * sample_rate
        self._room = asyncio.Event()  # set when it has become shorter
        self._closed = False
        self.wake = asyncio.Event()
        """Set when there is something new, or nothing to come any more."""
        self.waiting = 0
        """Samples in it."""
        self.taken = 0
        """Samples that left it."""

    def __bool__(self) -> bool:
        return bool(self._items)

    def note_arrival(self, samples: int) -> None:
        """So many samples have come, and are going to be put in."""
        now = self._clock()
        passed, self.came = now - self.came, now
        left = max(self._lead - passed * (1 + _FORGIVEN), -_CREDIT_S)
        self._lead = left + samples / self._rate

    @property
    def live(self) -> bool:
        """Whether the last audio came as it was spoken, however late it is taken."""
        return self._lead < _RECORDING_S

    async def has_room(self) -> None:
        """Wait until not too much audio waits."""
        while self.waiting > self._most and not self._closed:
            self._room.clear()
            await self._room.wait()

    def put(self, item: T, samples: int = 0) -> None:
        """Add an item that holds so many samples."""
        self._items.append((item, samples))
        self.waiting += samples
        self.wake.set()

    def take(self) -> T:
        """The oldest item; there must be one."""
        item, samples = self._items.popleft()
        self.waiting -= samples
        self.taken += samples
        self._room.set()
        return item

    def close(self) -> None:
        """Let go of everything, and of whoever waits."""
        self._closed = True
        self._items.clear()
        self.wake.set()
        self._room.set()
