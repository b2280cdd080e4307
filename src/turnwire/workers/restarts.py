"""When a worker that died is started again: at once, and ever later if that keeps happening."""

PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
"""Seconds before it is started, by how often it has died so shortly after its start."""

STANDS_SECONDS = 60.0
"""A worker that was ready for so long has not failed because of how it was started."""


class Restarts:
    """How often one worker has died shortly after its start."""

    def __init__(self) -> None:
        self._failures = 0

    def after(self, stood: float) -> float:
        """How long to wait now that it has died, after it was ready for so many seconds."""
        if stood >= STANDS_SECONDS:
            self._failures = 0
        pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._failures += 1
        return pause
