"""What wrong keys cost those who bring them: from some number on, the answer takes its time."""

import logging
from dataclasses import dataclass

from turnwire.clock import Clock, pause
from turnwire.transport.notices import Notices

FREE_WRONG_KEYS = 5
"""How many wrong keys a minute from one address are answered at once."""

WRONG_KEY_SECONDS = 1.0
"""How long the answer to further ones takes."""

MOST_SLOWED = 64
"""How many answers to one address may be slow at a time."""

LOGGED_WRONG_KEYS = 30
"""How many wrong keys a minute from one address are logged: enough for whoever reads the log to
keep it out."""

MOST_ADDRESSES = 10_000

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Suspect:
    """An address that wrong keys came from."""

    minute: int
    count: int = 0
    """In that minute, and of these"""
    logged: int = 0
    """as many are in the log."""
    slowed: int = 0
    """Answers to it that are being kept back."""


class WrongKeys:
    """Counts the wrong keys of each address."""

    def __init__(self, clock: Clock, notices: Notices) -> None:
        self._clock = clock
        self._notices = notices
        self._suspects: dict[str, _Suspect] = {}

    def note(self, address: str) -> None:
        """Log that a key was nobody's, in the words that deploy/fail2ban looks for."""
        suspect = self._suspect(address)
        if suspect.logged < LOGGED_WRONG_KEYS:
            suspect.logged += 1
            logger.warning("no valid key from %s", address)

    async def slow_down(self, address: str) -> None:
        """A wrong key came from there: wait before it is answered, if others came before it."""
        suspect = self._suspect(address)
        suspect.count += 1
        if suspect.count <= FREE_WRONG_KEYS:
            return
        self._notices.warn(f"wrong keys keep coming from {address}")
        if suspect.slowed >= MOST_SLOWED:
            return
        suspect.slowed += 1
        try:
            await pause(self._clock, WRONG_KEY_SECONDS)
        finally:
            suspect.slowed -= 1

    def _suspect(self, address: str) -> _Suspect:
        minute = int(self._clock.now() // 60)
        suspect = self._suspects.pop(address, None)
        if suspect is None:
            suspect = _Suspect(minute)
        elif suspect.minute != minute:
            suspect.minute, suspect.count, suspect.logged = minute, 0, 0
        self._suspects[address] = suspect
        if len(self._suspects) > MOST_ADDRESSES:
            del self._suspects[next(iter(self._suspects))]
        return suspect
