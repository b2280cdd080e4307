"""What stands between a credential and a session."""

from dataclasses import dataclass
from typing import Protocol

from turnwire.accounts.keys import KeyRing
from turnwire.wire.closures import MISSING_AUTHORIZATION, UNAUTHORIZED, Violation

MAX_SESSION_SECONDS = 3 * 60 * 60
"""The longest session there is."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an admitted client may have."""

    max_seconds: int = MAX_SESSION_SECONDS


class Admission(Protocol):
    """Decides on credentials."""

    async def admit(self, credential: str | None) -> Grant:
        """What the bearer of `credential` may have; raises `Violation` if nothing.

        None stands for a client that brought no credential.
        """


class Everyone:
    """Admits whoever comes, credential or not."""

    async def admit(self, credential: str | None) -> Grant:
        return Grant()


class KeyHolders:
    """Admits whoever brings a key of the ring."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def admit(self, credential: str | None) -> Grant:
        if not credential:
            raise Violation(MISSING_AUTHORIZATION.because())
        if not self._keys.holds(credential):
            raise Violation(UNAUTHORIZED.because(reason="Invalid API key"))
        return Grant()
