"""How much a client may ask of a connection, and how that is counted."""

from collections.abc import Callable

MESSAGES_AT_ONCE = 500
MESSAGES_PER_SECOND = 50
"""Frames that bring no audio: texts, pings, pongs, empty ones, tiny fragments."""

COUNTED_BYTES = 4096
"""So much of a text counts as one more frame."""

TURN_SECONDS = 0.002
"""How long connections that have more to say than one turn of the loop takes may keep it."""


class Allowance:
    """What a client may send beside its audio: some at once, and so many a second for good."""

    __slots__ = ("_at", "_left")

    def __init__(self, now: float) -> None:
        self._left = float(MESSAGES_AT_ONCE)
        self._at = now

    def take(self, messages: int, now: float) -> bool:
        """Count what has come; False if that was more than there may be."""
        refilled = self._left + (now - self._at) * MESSAGES_PER_SECOND
        self._left = min(refilled, float(MESSAGES_AT_ONCE)) - messages
        self._at = now
        return self._left >= 0


class Turns:
    """Shares one turn of the loop among the connections that have more waiting than they may do.

    A connection works until `share_ends`, and then says `wait` and goes on in the next turn.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.waiting = 0
        """How many go on in the next turn."""

    def share_ends(self) -> float:
        return self.clock() + TURN_SECONDS / max(self.waiting, 1)
