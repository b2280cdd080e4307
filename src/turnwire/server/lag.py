"""How long the event loop is kept from what it has to do, which delays every session alike."""

from collections import deque

from turnwire.clock import Clock, pause

_INTERVAL = 0.02
"""Seconds between two looks: whatever blocks the loop for longer is seen."""

_REMEMBERED = 60
"""Seconds"""


class LoopLag:
    """The worst of the last minute."""

    def __init__(self) -> None:
        self._second = 0
        self._worst: deque[float] = deque([0.0], maxlen=_REMEMBERED)  # of each second

    @property
    def worst(self) -> float:
        """Seconds that something due had to wait."""
        return max(self._worst)

    def note(self, seconds: float, at: float) -> None:
        """Something due had to wait for so long, until `at` on a clock in seconds."""
        if int(at) != self._second:
            self._second = int(at)
            self._worst.append(0.0)
        self._worst[-1] = max(self._worst[-1], seconds)

    async def watch(self, clock: Clock) -> None:
        """Never ends."""
        while True:
            due = clock.now() + _INTERVAL
            await pause(clock, _INTERVAL)
            self.note(clock.now() - due, at=clock.now())
