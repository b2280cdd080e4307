"""What stands between a credential and a session, and what is kept of each session.

A `Registry` is asked when a client wants to begin, told every few seconds that the session still
lives, and told how it ended. What time it is, the registry knows itself: hosts disagree about it.
What is kept of a session is enough to bill it, whatever happens to the process that served it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from turnwire.wire.closure import Closure
from turnwire.wire.limits import LONGEST_SESSION_SECONDS

LEASE_SECONDS = 15.0
"""A session that has not been renewed for so long is lost: its slot is free again."""

RENEWAL_SECONDS = 5.0
"""How often leases are renewed, all of a server at once."""


@dataclass(frozen=True, slots=True)
class Funds:
    """What a session of an account with a balance may use."""

    until_ms: int
    """So much in all is reserved for it."""
    last: bool = False
    """Whether the balance has no more. If not, more is reserved with each renewal."""
    seconds_left: float = 0.0
    """How long the balance lasts if the account's sessions go on as they do."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an admitted client may have."""

    max_seconds: int = LONGEST_SESSION_SECONDS
    funds: Funds | None = None
    """None: as much as it likes."""
    account: str | None = None
    """Its name; None where anybody is let in."""
    key_id: int | None = None
    """The key that was brought, or that the token was asked for with."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a session has used so far."""

    audio_ms: int = 0
    """Audio received."""
    session_ms: int = 0
    """Time since Begin."""


Renewal = Funds | Closure | None
"""What a session may use until its next renewal, None for as much as it likes; or how it has to
end, because the account may not have it any longer."""


def allow() -> None:
    """No further condition."""


class Registry(Protocol):
    """Who may open sessions, and the ledger of those that were.

    Whatever else a method raises means that the store behind it is out of order.
    """

    async def begin(
        self, session: str, credential: str | None, *, check: Callable[[], None] = allow
    ) -> Grant:
        """Admit the bearer of a key or a token, and enter the session in the ledger.

        None stands for a client that brought no credential. A single-use token is used up by
        this. Raises `Violation` if the bearer may have no session now; nothing is kept then.

        `check` is called once the bearer may have one, and may still raise a `Violation`.
        """

    async def renew(self, usages: Mapping[str, Usage]) -> Mapping[str, Renewal]:
        """Say that these sessions live, and what each has used so far; gives what follows.

        One that has ended meanwhile stays as it is.
        """

    async def end(self, session: str, usage: Usage, closure: Closure) -> None:
        """Close the session's entry, and bill it."""

    async def issue_token(
        self, credential: str | None, *, expires_in: int, max_seconds: int
    ) -> str:
        """A token with which the key's bearer lets somebody else open one session.

        It is good for `expires_in` seconds, and its session lasts `max_seconds` at most. Raises
        `Violation` if the credential is no valid API key.
        """

    async def close_lost(self) -> int:
        """Close the entries of sessions whose lease has lapsed, as their server died.

        Gives how many there were.
        """

    async def close(self) -> None:
        """Let go of the store."""


class OpenRegistry:
    """Admits whoever comes, credential or not, and keeps nothing."""

    async def begin(
        self, session: str, credential: str | None, *, check: Callable[[], None] = allow
    ) -> Grant:
        check()
        return Grant()

    async def renew(self, usages: Mapping[str, Usage]) -> Mapping[str, Renewal]:
        return {}

    async def end(self, session: str, usage: Usage, closure: Closure) -> None:
        pass

    async def issue_token(
        self, credential: str | None, *, expires_in: int, max_seconds: int
    ) -> str:
        return "anybody"

    async def close_lost(self) -> int:
        return 0

    async def close(self) -> None:
        pass
