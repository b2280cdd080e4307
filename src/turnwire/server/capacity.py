"""How many sessions a server can hold, by what they cost its engine.

A session costs what its final texts cost; partial texts are made in the time that is left. As long
as little is known of a server's sessions, they are taken for conversations, in which everybody
speaks half of the time, at the cost that the engine measured when it was made. From then on what
they really cost counts more and more: silent sessions leave room for others, dictations take it.
Those of recordings tell nothing of that, as they take what the others leave; each is one session.
"""

import math

from turnwire.clock import Clock
from turnwire.speech.engine import Engine, EngineLoad

USABLE = 0.7
"""The part of the engine's time that final texts may take, lest they wait for each other."""

LATE_SECONDS = 1.0
"""An engine that is this far behind with a final text holds no further session."""

TRUST_SECONDS = 600.0
"""What the engine expects counts as much as so many seconds of sessions."""

MEMORY_SECONDS = 300.0
"""What sessions cost this long ago counts for a third."""


class Capacity:
    """The cost of one server's sessions, and so how many there may be."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._sessions = 0
        self._recordings = 0  # among them
        self._since = clock.now()
        self._spent = 0.0  # by the engine, all in all
        self._cost = 0.0  # of late, seconds of a thread
        self._lasted = 0.0  # of late, seconds of a session

    def changed(self, sessions: int, recordings: int = 0) -> None:
        """From now on there are so many sessions, and so many of them for recordings."""
        self._account()
        self._sessions = sessions
        self._recordings = recordings

    def limit(self) -> int | None:
        """How many there may be; None if any number costs nothing to speak of."""
        load = self._account()
        if load is None:
            return None
        if load.behind > LATE_SECONDS:
            return self._sessions
        cost = (load.expected * TRUST_SECONDS + self._cost) / (TRUST_SECONDS + self._lasted)
        return max(int(USABLE * load.threads / cost), 1)

    def _account(self) -> EngineLoad | None:
        """What the engine has spent so far, counted in."""
        now, load = self._clock.now(), self._engine.load()
        passed, self._since = now - self._since, now
        spent = load.spent - self._spent if load else 0.0
        self._spent += spent
        kept = math.exp(-passed / MEMORY_SECONDS)
        self._cost = self._cost * kept + spent
        self._lasted = self._lasted * kept + passed * (self._sessions - self._recordings)
        return load
