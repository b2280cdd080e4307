"""What goes wrong all the time is logged once a minute."""

import logging
import time
from collections.abc import Callable

QUIET_SECONDS = 60.0

MOST_KEYS = 1000
"""Whose last time is remembered."""

logger = logging.getLogger(__name__)


class Notices:
    """Warnings, each kind of them at most once a minute, with how often it happened since."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[str, tuple[float, int]] = {}
        """When each was logged last, and how often it happened since."""

    def warn(self, what: str) -> None:
        now = self._clock()
        at, unsaid = self._said.pop(what, (-QUIET_SECONDS, 0))
        if now - at < QUIET_SECONDS:
            self._said[what] = (at, unsaid + 1)
            return
        more = f" (and {unsaid} times in the minute before)" if unsaid else ""
        logger.warning("%s%s", what, more)
        self._said[what] = (now, 0)
        if len(self._said) > MOST_KEYS:
            del self._said[next(iter(self._said))]
