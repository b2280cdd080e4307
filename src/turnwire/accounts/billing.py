"""What sessions cost, and what is reserved for them.

A session is billed for its time or for its audio, whichever is longer: audio that is sent faster
than it is spoken costs what it takes to recognize it, and a silent session costs the place that
it holds.

A session of an account with a balance may use what is reserved for it: enough to last until its
lease is renewed, or what is left. What is reserved for one session is not there for another, so
sessions that run at once cannot use the same second twice.
"""

from dataclasses import dataclass, replace

from turnwire.accounts.admission import RENEWAL_SECONDS, Funds, Usage

RESERVED_MS = round(1000 * RENEWAL_SECONDS)
"""What is reserved for a session at a time."""


def billable_ms(usage: Usage) -> int:
    """What a session is billed for."""
    return max(usage.session_ms, usage.audio_ms)


@dataclass(frozen=True, slots=True)
class OpenSessions:
    """What an account's open sessions come to."""

    sessions: int = 0
    reserved_ms: int = 0

    def with_one_more(self) -> "OpenSessions":
        return replace(self, sessions=self.sessions + 1)


class Balance:
    """What is left of an account's balance, and what is reserved of it."""

    def __init__(self, balance_ms: int, open: OpenSessions) -> None:
        self._balance_ms = balance_ms
        self._open = open
        self.free_ms = balance_ms - open.reserved_ms
        """May still be reserved."""

    def take(self, billed_ms: int) -> tuple[int, Funds]:
        """Reserve for a session that was billed `billed_ms` so far.

        Gives how much, and what the session has to know of it.
        """
        taken = min(RESERVED_MS, max(self.free_ms, 0))
        self.free_ms -= taken
        return taken, Funds(
            until_ms=billed_ms + taken,
            last=taken < RESERVED_MS,
            seconds_left=max(self._balance_ms, 0) / 1000 / max(self._open.sessions, 1),
        )
