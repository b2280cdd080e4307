"""When a session is succeeded by the next, before it expires: at a silence, if there is one."""

HANDOVER_SECONDS = 60.0
"""How long before its expiry a session is renewed, or a quarter of its life if that is less."""

SHORTEST_LIFE_SECONDS = 10.0
"""A session that seems to expire sooner is not renewed: the clocks do not agree."""

SILENCE_SECONDS = 0.3
SHORTEST_SILENCE_SECONDS = 0.06
"""The pause at which sessions are handed over, and how short it may be at last."""

LOOKING = 0.8
"""The part of the time before the expiry in which a pause is looked for."""

LOOK_SECONDS = 0.1
"""How often it is looked for."""


class Rollover:
    """The plan for one session; times as in `ClientStream.receive`.

    The next session is opened at `opens_at`. From the moment it stands by, the audio is looked at
    for a pause; the later, the shorter a one will do.
    """

    def __init__(self, now: float, life: float) -> None:
        lead = min(HANDOVER_SECONDS, life / 4)
        self._patience = lead * LOOKING
        self.opens_at = now + life - lead
        self._looks_until = 0.0
        self._looks_at = 0.0

    @classmethod
    def of(cls, now: float, life: float) -> "Rollover | None":
        """The plan for a session that lives so long; None if it cannot be renewed."""
        return None if life < SHORTEST_LIFE_SECONDS else cls(now, life)

    def stands_by(self, now: float) -> None:
        """The next session has begun."""
        self._looks_until = now + self._patience
        self._looks_at = now

    @property
    def looks_at(self) -> float:
        """When the audio is to be looked at again."""
        return self._looks_at

    def pause(self, now: float) -> float | None:
        """How long a pause hands over now, in seconds; None: it is too late for any."""
        left = self._looks_until - now
        if left <= 0:
            return None
        self._looks_at = now + LOOK_SECONDS
        return max(SILENCE_SECONDS * left / self._patience, SHORTEST_SILENCE_SECONDS)
