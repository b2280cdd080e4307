"""How many sessions a server can hold, by what they cost its engine.

A session takes of each of the engine's resources: processors, the event loop. As long as little is
known of a server's sessions, they are taken for conversations, in which everybody speaks half of
the time, at the cost that the engine measured when it was made. From then on what they really cost
counts more and more: silent sessions leave room for others, dictations take it. There may be as
many as leave each resource the part of its time that it needs. Recordings tell nothing of that, as
they take what the others leave; each is one session.
"""

import math
from dataclasses import dataclass

from turnwire.clock import Clock
from turnwire.speech.engine import Engine, EngineLoad, Resource

LATE_SECONDS = 1.0
"""An engine that is this far behind with a final text holds no further session."""

TRUST_SECONDS = 600.0
"""What the engine expects counts as much as so many seconds of sessions."""

MEMORY_SECONDS = 300.0
"""What sessions cost this long ago counts for a third."""


@dataclass(slots=True)
class _Taken:
    """What sessions took of one resource, in seconds of it."""

    in_all: float = 0.0
    """Since the engine was made."""
    lately: float = 0.0
    """In the last minutes; what is longer ago counts for less."""


class Capacity:
    """The cost of one server's sessions, and so how many there may be."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._sessions = 0
        self._recordings = 0  # among them
        self._since = clock.now()
        self._lasted = 0.0  # of late, seconds of a session
        self._taken: list[_Taken] = []  # in the order of the engine's resources

    def changed(self, sessions: int, recordings: int = 0) -> None:
        """From now on there are so many sessions, and so many of them for recordings."""
        self._count()
        self._sessions = sessions
        self._recordings = recordings

    def limit(self) -> int | None:
        """How many there may be; None if any number costs nothing to speak of."""
        load = self._count()
        if load is None:
            return None
        if load.behind > LATE_SECONDS:
            return self._sessions
        room = min(map(self._room, load.resources, self._taken))
        return max(int(room), 1)

    def _room(self, resource: Resource, taken: _Taken) -> float:
        """How many sessions a resource has time for."""
        cost = resource.expected * TRUST_SECONDS + taken.lately
        return resource.usable * resource.seconds * (TRUST_SECONDS + self._lasted) / cost

    def _count(self) -> EngineLoad | None:
        """Count what was taken since the last time. Returns what the engine has to do now."""
        now, load = self._clock.now(), self._engine.load()
        passed, self._since = now - self._since, now
        kept = math.exp(-passed / MEMORY_SECONDS)
        self._lasted = self._lasted * kept + passed * (self._sessions - self._recordings)
        if load is not None:
            self._taken = self._taken or [_Taken() for _ in load.resources]
            for resource, taken in zip(load.resources, self._taken, strict=True):
                taken.lately = taken.lately * kept + resource.spent - taken.in_all
                taken.in_all = resource.spent
        return load
