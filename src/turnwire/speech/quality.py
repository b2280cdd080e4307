"""What gives way when an engine has more to do than time, and in which order.

Each rung of `LADDER` leaves out more than the one before it. An engine stands on the first as long
as final texts are begun when they are due. One that is begun late takes it to the last rung whose
`late_seconds` that reaches; when none was that late for a while, it comes back rung by rung.
"""

from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

STEP_BACK_SECONDS = 3.0
"""For how long no final text may be as late as a rung says, before that rung is left."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What is done for a text."""

    name: str
    late_seconds: float
    """How late a final text is begun that makes an engine do no more than this."""
    partial_ms: int | None
    """How much is heard between two partial texts; None: there are none."""
    second_attempts: bool = True
    """Whether a final text that looks bad, or may be no speech, is decoded once more, from a longer
    window."""
    beam: int = 5
    """Hypotheses that a final text is chosen from."""
    context_tokens: int = 48
    """How much of what was said before a final text its decode is told."""
    short_pauses: bool = True
    """Whether final texts are made at pauses that are too short to be of use to their session."""


def _rungs(first: Quality, *below: dict[str, Any]) -> tuple[Quality, ...]:
    """Each but the first is as the one above it, apart from what is said of it."""
    return tuple(accumulate(below, lambda above, rung: replace(above, **rung), initial=first))


LADDER = _rungs(
    Quality("full", 0.0, partial_ms=1000),
    {"name": "fewer partial texts", "late_seconds": 0.25, "partial_ms": 2000},
    {
        "name": "no second attempts",
        "late_seconds": 0.75,
        "partial_ms": 3000,
        "second_attempts": False,
    },
    {"name": "no short pauses", "late_seconds": 1.0, "short_pauses": False},
    {"name": "narrow search", "late_seconds": 1.25, "beam": 1},
    {"name": "no partial texts", "late_seconds": 1.5, "partial_ms": None},
    {"name": "no context", "late_seconds": 2.5, "context_tokens": 0},
)
"""What is done, from the best on."""

FULL = LADDER[0]


class LadderPosition:
    """Where on the ladder an engine stands. Times are seconds on any one clock."""

    def __init__(self) -> None:
        self._rung = 0
        self._held = 0.0  # when a final text was last late enough for this rung

    def note(self, late: float, now: float) -> None:
        """A final text is begun, or still waits, this long after it was due."""
        reached = max(
            i for i, quality in enumerate(LADDER) if late >= quality.late_seconds or not i
        )
        if reached >= self._rung:
            self._rung, self._held = reached, now

    def quality(self, now: float) -> Quality:
        """What is done now."""
        while self._rung and now - self._held >= STEP_BACK_SECONDS:
            self._rung -= 1
            self._held += STEP_BACK_SECONDS
        return LADDER[self._rung]
