"""The registry of a server that has accounts: admission, leases and the ledger in a database."""

import functools
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, Self, TypeVar
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from turnwire.accounts import leases
from turnwire.accounts.admission import Funds, Grant, Renewal, Usage, allow
from turnwire.accounts.batcher import Batcher
from turnwire.accounts.billing import Open, Reserve
from turnwire.accounts.credentials import (
    NO_BALANCE,
    bearer_of,
    bearer_of_key,
    check_standing,
    check_token,
    unauthorized,
)
from turnwire.accounts.database import Database
from turnwire.accounts.leases import Sign
from turnwire.accounts.management import Management
from turnwire.accounts.moments import over
from turnwire.accounts.rate import limit_after
from turnwire.accounts.tables import Account, Entry
from turnwire.accounts.tokens import make_token
from turnwire.wire.closures import TOO_MANY_SESSIONS, Closure, Violation
from turnwire.wire.limits import LONGEST_SESSION_SECONDS

P = ParamSpec("P")
T = TypeVar("T")


def _carried_through(
    method: Callable[Concatenate["Store", P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate["Store", P], Coroutine[Any, Any, T]]:
    """A method that is done to its end even if its caller is cancelled meanwhile."""

    @functools.wraps(method)
    async def call(store: "Store", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store.database.carry_through(method(store, *args, **kwargs))

    return call


class Store:
    """Accounts, keys, tokens and the ledger, as a server needs them: a `Registry`.

    Sessions are billed as they go: each renewal takes what was used since the last one from the
    balance, so that a crash costs at most what was used since then. Those that end in the same
    moment are entered together.
    """

    def __init__(self, database: Database, *, node: str, reusable_tokens: bool = False) -> None:
        self.database = database
        self.management = Management(database)
        self._node = node
        self._process = uuid4().hex
        self._reusable_tokens = reusable_tokens
        self._endings = Batcher(self._end)

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

    async def close(self) -> None:
        await self._endings.finish()
        await self.database.close()

    @_carried_through
    async def begin(
        self, session: str, credential: str | None, *, check: Callable[[], None] = allow
    ) -> Grant:
        async with self.database.begin() as db:
            bearer = await bearer_of(db, credential)
            now = await self.database.now(db)
            if bearer.token is not None:
                check_token(bearer.token, reusable=self._reusable_tokens, now=now)
            check_standing(bearer)
            account = bearer.account
            reserved_ms, funds = await _admit(db, account, now)
            _count_new_session(account, now)
            check()
            if bearer.token is not None:
                bearer.token.used_at = now
            if bearer.key is not None:
                bearer.key.last_used_at = now
            db.add(
                Entry(
                    id=session,
                    account_id=account.id,
                    key_id=bearer.key_id,
                    token_id=bearer.token_id,
                    node=self._node,
                    process=self._process,
                    begun_at=now,
                    renewed_at=now,
                    reserved_ms=reserved_ms,
                )
            )
        longest = LONGEST_SESSION_SECONDS
        if bearer.token is not None:
            longest = min(longest, bearer.token.max_seconds)
        return Grant(longest, funds, account.name, bearer.key_id)

    async def renew(self, usages: Mapping[str, Usage]) -> Mapping[str, Renewal]:
        return await self._enter([Sign(session, usage) for session, usage in usages.items()])

    async def end(self, session: str, usage: Usage, closure: Closure) -> None:
        await self._endings.submit(Sign(session, usage, closure))

    async def _end(self, signs: Sequence[Sign]) -> None:
        await self._enter(signs)

    @_carried_through
    async def _enter(self, signs: Sequence[Sign]) -> dict[str, Renewal]:
        renewals: dict[str, Renewal] = {}
        # Also without any: that finds out whether the store can be reached.
        for first in range(0, len(signs) or 1, leases.ENTERED_AT_ONCE):
            async with self.database.begin() as db:
                some = signs[first : first + leases.ENTERED_AT_ONCE]
                renewals |= await leases.enter(db, some, await self.database.now(db))
        return renewals

    @_carried_through
    async def issue_token(
        self, credential: str | None, *, expires_in: int, max_seconds: int
    ) -> str:
        async with self.database.begin() as db:
            bearer = await bearer_of_key(db, credential)
            return await make_token(
                db,
                account_id=bearer.account.id,
                key_id=bearer.key_id,
                expires_in=expires_in,
                max_seconds=max_seconds,
                now=await self.database.now(db),
            )

    @_carried_through
    async def close_lost(self) -> int:
        async with self.database.begin() as db:
            now = await self.database.now(db)
            return await leases.close_as_lost(db, leases.lapsed(now), now)

    @_carried_through
    async def reclaim(self) -> int:
        """Close as lost what earlier servers of this one's name left open; gives how many.

        None of them may be running any more. A session that is, goes on with its next renewal.
        """
        left = (Entry.node == self._node) & (Entry.process != self._process)
        async with self.database.begin() as db:
            return await leases.close_as_lost(db, left, await self.database.now(db))


async def _admit(db: AsyncSession, account: Account, now: float) -> tuple[int, Funds | None]:
    """Reserve what a new session may use at first; gives how much, and what it has to know.

    Raises `Violation` if the account has no slot for it, or nothing left.
    """
    if account.max_sessions is None and account.balance_ms is None:
        return 0, None
    open_ = (await leases.open_by_account(db, [account.id], now)).get(account.id, Open())
    reserved_ms, funds = 0, None
    if account.balance_ms is not None:
        reserved_ms, funds = Reserve(account.balance_ms, open_.with_one_more()).take(billed_ms=0)
        if not reserved_ms:
            raise unauthorized(NO_BALANCE)
    if account.max_sessions is not None and open_.sessions >= account.max_sessions:
        raise Violation(TOO_MANY_SESSIONS.fill())
    return reserved_ms, funds


def _count_new_session(account: Account, now: float) -> None:
    """Count a session that is opened now. Raises `Violation` if that is one too many."""
    if account.sessions_per_minute is None:
        return
    minute = int(now // 60)
    if over(60.0 * account.minute, 60.0, now):
        # Of a minute in the future, nobody knows how long ago it was written down.
        passed = minute - account.minute if account.minute < minute else minute
        account.minute_limit = limit_after(
            account.minute_limit, account.minute_used, passed, start=account.sessions_per_minute
        )
        account.minute = minute
        account.minute_used = 0
    if account.minute_used >= account.minute_limit:
        raise Violation(TOO_MANY_SESSIONS.fill())
    account.minute_used += 1
