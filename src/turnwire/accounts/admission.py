"""What stands between a credential and a session, and what is kept of each session.

A `Registry` is asked when a client wants to begin, told every few seconds that the session still
lives, and told how it ended. Times are Unix seconds and given by the caller; what is kept of a
session is enough to bill it, whatever happens to the process that served it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from turnwire.wire.closures import Closure
from turnwire.wire.limits import LONGEST_SESSION_SECONDS

LEASE_SECONDS = 30.0
"""A session that has not been renewed for so long is lost: its slot is free again."""

RENEWAL_SECONDS = 10.0
"""How often sessions are renewed, all of a server at once."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an admitted client may have."""

    max_seconds: int = LONGEST_SESSION_SECONDS


@dataclass(frozen=True, slots=True)
class Usage:
    """What a session has used so far."""

    audio_ms: int = 0
    """Audio received."""
    session_ms: int = 0
    """Time since Begin."""


class Registry(Protocol):
    """Who may open sessions, and the ledger of those that were.

    Whatever else a method raises means that the store behind it is out of order.
    """

    async def begin(self, session: str, credential: str | None, *, now: float) -> Grant:
        """Admit the bearer of a key or a token, and enter the session in the ledger.

        None stands for a client that brought no credential. A single-use token is used up by
        this. Raises `Violation` if the bearer may have no session now; nothing is kept then.
        """

    async def renew(self, usages: Mapping[str, Usage], *, now: float) -> None:
        """Say that these sessions live, and what each has used so far.

        One that has ended meanwhile stays as it is.
        """

    async def end(self, session: str, usage: Usage, closure: Closure, *, now: float) -> None:
        """Close the session's entry, and bill it."""

    async def issue_token(
        self, credential: str | None, *, expires_in: int, max_seconds: int, now: float
    ) -> str:
        """A token with which the key's bearer lets somebody else open one session.

        It is good for `expires_in` seconds, and its session lasts `max_seconds` at most. Raises
        `Violation` if the credential is no valid API key.
        """

    async def close_lost(self, now: float) -> int:
        """Close the entries of sessions whose lease has lapsed, as their server died.

        Gives how many there were.
        """

    async def close(self) -> None:
        """Let go of the store."""


class OpenRegistry:
    """Admits whoever comes, credential or not, and keeps nothing."""

    async def begin(self, session: str, credential: str | None, *, now: float) -> Grant:
        return Grant()

    async def renew(self, usages: Mapping[str, Usage], *, now: float) -> None:
        pass

    async def end(self, session: str, usage: Usage, closure: Closure, *, now: float) -> None:
        pass

    async def issue_token(
        self, credential: str | None, *, expires_in: int, max_seconds: int, now: float
    ) -> str:
        return "anybody"

    async def close_lost(self, now: float) -> int:
        return 0

    async def close(self) -> None:
        pass
