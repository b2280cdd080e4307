"""What a stream has been given and has not come to yet."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST_S = 60
"""How much audio may wait before whoever brings more does."""


class Inbox(Generic[T]):
    """Audio at `sample_rate` Hz, and what is asked for between two pieces of it, in order."""

    def __init__(self, sample_rate: int) -> None:
        self._items: deque[tuple[T, int]] = deque()
        self._most = _MOST_S * sample_rate
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
