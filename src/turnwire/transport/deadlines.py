"""How long clients have, by the clock of a server that may have been blocked itself."""

from collections.abc import Callable

from turnwire.clock import LoopClock, PatientTimer, Timer

_CLOCK = LoopClock()


def after(seconds: float, call: Callable[[], None]) -> Timer:
    """Call in so many seconds; a moment later if that is late, as something may wait to be read."""
    return PatientTimer(_CLOCK, _CLOCK.now() + seconds, call)
