"""A store that cannot be reached: said once when it begins, and once when it is over."""

import logging

from turnwire.clock import Clock

logger = logging.getLogger(__name__)


class Outage:
    """Whether the store answers, by what came of what it was asked last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: float | None = None
        self._failures = 0

    @property
    def lasts(self) -> bool:
        return self._since is not None

    def failed(self, what: str, error: Exception) -> None:
        """Count a failure; only the first is logged, as the next ones may be thousands."""
        self._failures += 1
        if self._since is None:
            self._since = self._clock.now()
            logger.error(
                "%s: %s. Open sessions go on; this is logged again when it is over.",
                what,
                str(error).removesuffix(".") or type(error).__name__,
                exc_info=error if logger.isEnabledFor(logging.DEBUG) else None,
            )

    def worked(self) -> None:
        if self._since is not None:
            logger.warning(
                "The accounts can be reached again after %.0f s and %d failures.",
                self._clock.now() - self._since,
                self._failures,
            )
        self._since, self._failures = None, 0
