"""Which worker gets the next connection: the one with most room for it."""

from collections.abc import Iterable
from dataclasses import dataclass

SILENT_SECONDS = 5.0
"""A worker that has told nothing for so long may hang; others come first."""


@dataclass(slots=True)
class Load:
    """What is known of a worker."""

    told_at: float
    """When it said something last."""
    sessions: int = 0
    limit: int | None = None
    """How many sessions it may have; None: any number."""
    open: int = 0
    """Connections, as it counts them."""
    received: int = 0
    """Connections that it had, by then."""
    handed: int = 0
    """Connections that it was given."""

    @property
    def connections(self) -> int:
        """Those that it has, or will have as soon as it looks."""
        return self.open + self.handed - self.received


def by_room(loads: Iterable[tuple[int, Load]], now: float) -> list[int]:
    """The numbers of the workers, the best first.

    Each connection may become a session, so the share of its room that a worker would have given
    away counts. But a connection that is no session takes nobody's place: one that has room for a
    session comes before all that have none.
    """

    def rank(entry: tuple[int, Load]) -> tuple[bool, bool, float, int]:
        number, load = entry
        is_full = load.limit is not None and load.sessions >= load.limit
        taken = (load.connections + 1) / (load.limit or 1)
        return now - load.told_at > SILENT_SECONDS, is_full, taken, number

    return [number for number, _ in sorted(loads, key=rank)]
