"""How a session is succeeded by the next, before it expires: at a silence, if there is one."""

import logging
from collections.abc import Callable

from turnwire.client import effects
from turnwire.client.errors import raised_for
from turnwire.client.leg import Leg
from turnwire.client.legs import Legs
from turnwire.client.timeline import Timeline

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


class RolloverPlan:
    """When one session is succeeded; times as in `ClientStream.receive`.

    The next session is opened at `opens_at`. From the moment it stands by, the audio is looked at
    for a pause; the later, the shorter a one will do.
    """

    def __init__(self, now: float, life: float) -> None:
        """`life` is how many seconds the session has."""
        lead = min(HANDOVER_SECONDS, life / 4)
        self._patience = lead * LOOKING
        self.opens_at = now + life - lead
        self._looks_until = 0.0
        self.looks_at = 0.0
        """When the audio is to be looked at again."""

    def stands_by(self, now: float) -> None:
        """The next session is on its way."""
        self._looks_until = now + self._patience
        self.looks_at = now

    def pause(self, now: float) -> float | None:
        """How long a pause hands over now, in seconds; None: it is too late for any."""
        left = self._looks_until - now
        if left <= 0:
            return None
        self.looks_at = now + LOOK_SECONDS
        return max(SILENCE_SECONDS * left / self._patience, SHORTEST_SILENCE_SECONDS)


class Rollover:
    """Renews the session that is fed."""

    def __init__(
        self,
        legs: Legs,
        timeline: Timeline,
        todo: effects.Effects,
        opened: Callable[[float], Leg],
    ) -> None:
        """`opened` gives a leg that is being opened, now."""
        self._legs = legs
        self._timeline = timeline
        self._todo = todo
        self._opened = opened
        self._leg: Leg | None = None
        self._plan: RolloverPlan | None = None

    def plan(self, leg: Leg, now: float) -> None:
        """From here on this leg is fed."""
        life = leg.life(now)
        self._leg = leg
        self._plan = None if life < SHORTEST_LIFE_SECONDS else RolloverPlan(now, life)

    def deadline(self) -> float | None:
        """When `go_on` is due; None if nothing is waited for."""
        plan, standby = self._plan, self._legs.standby
        if plan is None or self._renewed is None:
            return None
        if standby is None:
            return plan.opens_at
        return None if standby.begin is None else plan.looks_at

    def go_on(self, now: float) -> None:
        """Do what is due."""
        self._look_after_standby()
        leg, plan, standby = self._renewed, self._plan, self._legs.standby
        if leg is None or plan is None:
            return
        if standby is None:
            if now >= plan.opens_at:
                self._legs.standby = self._opened(now)
                plan.stands_by(now)
        elif standby.begin is not None and now >= plan.looks_at:
            self._look_for_pause(leg, standby, plan.pause(now), now)

    @property
    def _renewed(self) -> Leg | None:
        """The leg that is to be succeeded, if now is a time for it."""
        leg = self._legs.fed
        alone = len(self._legs.in_order) == 1
        return leg if leg is self._leg and alone and leg and leg.place is not None else None

    def _look_after_standby(self) -> None:
        standby = self._legs.standby
        if standby is None or standby.closure is None:
            return
        self._todo.log(
            f"The session could not be renewed: {raised_for(standby.closure)}", logging.WARNING
        )
        # It expires, and is followed by another one.
        self._legs.standby = None
        if self._renewed is not None:
            self._plan = None

    def _look_for_pause(self, leg: Leg, standby: Leg, pause: float | None, now: float) -> None:
        assert leg.cursor is not None
        position = leg.cursor.position
        if pause is None:
            self._todo.add(effects.Close(standby.number))
            self._legs.standby = self._plan = None
        elif self._timeline.is_quiet_before(position, pause):
            leg.end = leg.cursor.end = position
            self._legs.standby = None
            self._legs.in_order.append(standby)
            standby.take_part(self._timeline, position, now)
            self.plan(standby, now)
