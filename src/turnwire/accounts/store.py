"""The registry of a server that has accounts: admission, leases and the ledger in a database."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Self, TypeVar
from uuid import uuid4

from turnwire.accounts import leases
from turnwire.accounts.admission import Grant, Renewal, Usage, allow
from turnwire.accounts.batcher import Batcher
from turnwire.accounts.database import Database, carried_through
from turnwire.accounts.entrance import ADMITTED_AT_ONCE, Applicant, Entrance
from turnwire.accounts.issuing import ISSUED_AT_ONCE, Asked, issue
from turnwire.accounts.leases import SignOfLife
from turnwire.accounts.management import Management
from turnwire.accounts.tables import Entry
from turnwire.wire.closure import Closure

T = TypeVar("T")


class Store:
    """Accounts, keys, tokens and the ledger, as a server needs them: a `Registry`.

    Sessions are billed as they go: each renewal takes what was used since the last one from the
    balance, so that a crash costs at most what was used since then. Those that begin or end in the
    same moment are entered together.
    """

    def __init__(self, database: Database, *, node: str, reusable_tokens: bool = False) -> None:
        self.database = database
        self.management = Management(database)
        self._entrance = Entrance(node, uuid4().hex, reusable_tokens)
        self._admissions = Batcher(
            partial(self._entrance.admit, database), at_once=ADMITTED_AT_ONCE
        )
        self._tokens = Batcher(partial(issue, database), at_once=ISSUED_AT_ONCE)
        self._endings = Batcher(self._end, at_once=leases.ENTERED_AT_ONCE)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        node: str,
        reusable_tokens: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> Self:
        """Open the database at a URL; see `Database.open`.

        `node` is what people know this server by. Sessions whose lease has lapsed are closed as
        lost. A token opens one session, or with `reusable_tokens` any number until it expires.
        """
        database = await Database.open(url, clock=clock)
        store = cls(database, node=node, reusable_tokens=reusable_tokens)
        try:
            await store.close_lost()
        except BaseException:
            await store.close()
            raise
        return store

    @property
    def node(self) -> str:
        """The name by which people know this server."""
        return self._entrance.node

    @property
    def process(self) -> str:
        """The id of this process, which no other ever has."""
        return self._entrance.process

    async def close(self) -> None:
        for batcher in (self._admissions, self._tokens, self._endings):
            await batcher.finish()
        await self.database.close()

    async def begin(
        self, session: str, credential: str | None, *, check: Callable[[], None] = allow
    ) -> Grant:
        return _or_raised(await self._admissions.submit(Applicant(session, credential, check)))

    async def renew(self, usages: Mapping[str, Usage]) -> Mapping[str, Renewal]:
        return await self._enter([SignOfLife(session, usage) for session, usage in usages.items()])

    async def end(self, session: str, usage: Usage, closure: Closure) -> None:
        await self._endings.submit(SignOfLife(session, usage, closure))

    async def _end(self, signs: Sequence[SignOfLife]) -> Sequence[None]:
        await self._enter(signs)
        return [None] * len(signs)

    @carried_through
    async def _enter(self, signs: Sequence[SignOfLife]) -> dict[str, Renewal]:
        renewals: dict[str, Renewal] = {}
        # Also without any: that finds out whether the store can be reached.
        for first in range(0, len(signs) or 1, leases.ENTERED_AT_ONCE):
            async with self.database.begin() as db:
                some = signs[first : first + leases.ENTERED_AT_ONCE]
                renewals |= await leases.enter(db, some, await self.database.now(db))
        return renewals

    async def issue_token(
        self, credential: str | None, *, expires_in: int, max_seconds: int
    ) -> str:
        return _or_raised(await self._tokens.submit(Asked(credential, expires_in, max_seconds)))

    @carried_through
    async def close_lost(self) -> int:
        async with self.database.begin() as db:
            now = await self.database.now(db)
            return await leases.close_as_lost(db, leases.lapsed(now), now)

    @carried_through
    async def reclaim(self) -> int:
        """Close as lost what earlier servers of this one's name left open; gives how many.

        None of them may be running any more. A session that is, goes on with its next renewal.
        """
        here = self._entrance
        left = (Entry.node == here.node) & (Entry.process != here.process)
        async with self.database.begin() as db:
            return await leases.close_as_lost(db, left, await self.database.now(db))


def _or_raised(outcome: T | Exception) -> T:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
