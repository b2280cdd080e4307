"""The leases of one server's sessions: taken, renewed all at once, and given back.

A renewal says what a session used and brings what it may use next, or that it has to end. While
the store cannot be reached sessions go on, for as long as the operator allows; those that end
meanwhile are entered when it can be reached again.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from turnwire.accounts.admission import (
    LEASE_SECONDS,
    RENEWAL_SECONDS,
    Grant,
    Registry,
    Renewal,
    Usage,
)
from turnwire.clock import Clock, pause
from turnwire.server.outage import Outage
from turnwire.wire.closure import Closure, Violation
from turnwire.wire.closures import LEASE_LOST

LEDGER_SECONDS = 3.0
"""How long a close waits for the ledger; its socket has five seconds in all."""

TOKEN_SECONDS = 10.0
"""How long whoever asks for a token waits for the store, as for a session."""

OUTAGE_SECONDS = 300.0
"""How long sessions go on without the store, unless the server is told otherwise."""

UNENTERED = 100_000
"""How many ended sessions are kept for a store that cannot be reached."""

logger = logging.getLogger(__name__)


class Leased(Protocol):
    """A session, as far as its lease is concerned."""

    @property
    def id(self) -> str: ...

    def usage(self) -> Usage: ...

    def renewed(self, renewal: Renewal) -> None:
        """Take what a renewal brought."""

    def drain(self, closure: Closure) -> None: ...


class Host(Protocol):
    """What leases need of their server."""

    registry: Registry
    clock: Clock

    @property
    def outage_seconds(self) -> float: ...


class Leases:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._held: dict[Leased, float] = {}
        """The sessions that stand in the ledger, and when the clock was read for their last sign
        of life there."""
        self._unentered: dict[str, tuple[Usage, Closure]] = {}
        """The sessions that ended, and could not be entered yet."""
        self._outage = Outage(host.clock)
        self.answers = 0
        """How often the store has answered something, so far."""
        self.renewal_took = 0.0
        """Seconds, the last time that leases could be renewed."""

    @property
    def reachable(self) -> bool:
        """Whether the store answered when it was asked last."""
        return not self._outage.lasts

    @property
    def unentered(self) -> int:
        """How many sessions ended that could not be entered in the ledger yet."""
        return len(self._unentered)

    async def begin(
        self, session: Leased, credential: str | None, *, check: Callable[[], None]
    ) -> Grant:
        """Admit a session. Raises what `Registry.begin` does."""
        now = self._host.clock.now()
        with self._noting("A session could not be admitted"):
            grant = await self._host.registry.begin(session.id, credential, check=check)
        self._held[session] = now
        return grant

    async def issue_token(
        self, credential: str | None, *, expires_in: int, max_seconds: int
    ) -> str:
        """See `Registry.issue_token`, whose errors it raises; TimeoutError if that takes long."""
        with self._noting("A token could not be issued"):
            async with asyncio.timeout(TOKEN_SECONDS):
                return await self._host.registry.issue_token(
                    credential, expires_in=expires_in, max_seconds=max_seconds
                )

    async def end(self, session: Leased, closure: Closure) -> None:
        """Write down how a session ended; the first closure counts."""
        held = self._held.pop(session, None)
        if held is None:
            return
        usage = session.usage()
        try:
            async with asyncio.timeout(LEDGER_SECONDS):
                await self._host.registry.end(session.id, usage, closure)
            self.answers += 1
        except TimeoutError:
            # What was asked of the store is carried through if it can be; entered twice is once.
            logger.warning("session %s: the ledger takes long to close its entry", session.id)
            self._keep(session.id, usage, closure)
        except Exception as error:
            self._outage.failed("A session could not be closed in the ledger", error)
            self._keep(session.id, usage, closure)

    async def renew(self, sessions: Iterable[Leased] | None = None) -> None:
        """Renew these leases now, None for all. If that fails they stay as they are."""
        now = self._host.clock.now()
        held = list(self._held)
        if sessions is not None:
            held = [session for session in sessions if session in self._held]
        try:
            async with asyncio.timeout(RENEWAL_SECONDS):
                renewals = await self._host.registry.renew(
                    {session.id: session.usage() for session in held}
                )
        except Exception as error:
            self._outage.failed("Leases could not be renewed", error)
            return
        self.answers += 1
        self._outage.worked()
        self.renewal_took = self._host.clock.now() - now
        for session in held:
            if session in self._held:
                self._held[session] = now
                session.renewed(renewals.get(session.id))

    async def keep(self) -> None:
        """Renew all leases every few seconds. Never ends."""
        while True:
            await pause(self._host.clock, RENEWAL_SECONDS)
            await self.renew()
            if self.reachable:
                await self._enter_ended()
            else:
                self._end_unrenewed()

    async def sweep(self) -> None:
        """Now and then, close the ledger entries of sessions whose server died. Never ends."""
        while True:
            await pause(self._host.clock, LEASE_SECONDS)
            try:
                lost = await self._host.registry.close_lost()
            except Exception as error:
                self._outage.failed("Lost sessions could not be closed", error)
            else:
                self.answers += 1
                if lost:
                    logger.warning("%d sessions of a server that died were closed as lost", lost)

    @contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        try:
            yield
        except Violation:
            self.answers += 1
            raise
        except Exception as error:
            self._outage.failed(what, error)
            raise
        self.answers += 1

    def _keep(self, id: str, usage: Usage, closure: Closure) -> None:
        if len(self._unentered) < UNENTERED:
            self._unentered[id] = usage, closure

    async def _enter_ended(self) -> None:
        """Enter what ended during an outage, until that fails."""
        try:
            for id, (usage, closure) in list(self._unentered.items()):
                async with asyncio.timeout(LEDGER_SECONDS):
                    await self._host.registry.end(id, usage, closure)
                self.answers += 1
                del self._unentered[id]
        except Exception as error:
            self._outage.failed("Sessions could not be closed in the ledger", error)

    def _end_unrenewed(self) -> None:
        for session, renewed_at in list(self._held.items()):
            if self._host.clock.now() - renewed_at >= self._host.outage_seconds:
                session.drain(LEASE_LOST.fill())
