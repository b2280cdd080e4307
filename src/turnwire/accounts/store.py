"""The registry of a server that has accounts: admission, leases and the ledger in a database."""

import functools
import math
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnwire.accounts.admission import LEASE_SECONDS, Grant, Usage
from turnwire.accounts.bearers import bearer_of, bearer_of_key
from turnwire.accounts.database import Database
from turnwire.accounts.management import Management
from turnwire.accounts.rate import limit_after
from turnwire.accounts.tables import Account, Entry
from turnwire.accounts.tokens import make_token
from turnwire.wire.closures import SESSION_LOST, TOO_MANY_SESSIONS, Closure, Violation
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
    balance, so that a crash costs at most what was used since then.
    """

    def __init__(self, database: Database, *, node: str, reusable_tokens: bool = False) -> None:
        self.database = database
        self.management = Management(database)
        self._node = node
        self._reusable_tokens = reusable_tokens

    @classmethod
    async def open(cls, url: str, *, node: str, now: float, reusable_tokens: bool = False) -> Self:
        """Open the database at an SQLAlchemy URL; see `Database.open`.

        `node` is this server's name, and no other's that shares the database. Sessions that an
        earlier server of this name left open are closed as lost, and so are those whose lease
        has lapsed. A token opens one session, or with `reusable_tokens` any number until it
        expires.
        """
        store = cls(await Database.open(url), node=node, reusable_tokens=reusable_tokens)
        try:
            async with store.database.begin() as db:
                await _close_as_lost(db, Entry.node == node)
            await store.close_lost(now)
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        await self.database.close()

    @_carried_through
    async def begin(self, session: str, credential: str | None, *, now: float) -> Grant:
        async with self.database.begin() as db:
            bearer = await bearer_of(db, credential, reusable_tokens=self._reusable_tokens, now=now)
            account = bearer.account
            if account.max_sessions is not None:
                open_sessions = await db.scalar(
                    select(func.count()).where(
                        Entry.ended_at.is_(None),
                        Entry.account_id == account.id,
                        Entry.renewed_at > now - LEASE_SECONDS,
                    )
                )
                if (open_sessions or 0) >= account.max_sessions:
                    raise Violation(TOO_MANY_SESSIONS.because())
            _count_new_session(account, now)
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
                    begun_at=now,
                    renewed_at=now,
                )
            )
        longest = LONGEST_SESSION_SECONDS
        if bearer.token is not None:
            longest = min(longest, bearer.token.max_seconds)
        if account.balance_ms is not None:
            longest = min(longest, math.ceil(account.balance_ms / 1000))
        return Grant(longest)

    @_carried_through
    async def renew(self, session: str, usage: Usage, *, now: float) -> None:
        async with self.database.begin() as db:
            entry = await _entry(db, session)
            if _is_over(entry):
                return
            await _bill(db, entry, usage)
            # It may have been given up for lost too soon.
            entry.ended_at = entry.closure = None
            entry.renewed_at = now

    @_carried_through
    async def end(self, session: str, usage: Usage, closure: Closure, *, now: float) -> None:
        async with self.database.begin() as db:
            entry = await _entry(db, session)
            if _is_over(entry):
                return
            await _bill(db, entry, usage)
            entry.closure = closure.row.name
            entry.renewed_at = entry.ended_at = now

    @_carried_through
    async def issue_token(
        self, credential: str | None, *, expires_in: int, max_seconds: int, now: float
    ) -> str:
        async with self.database.begin() as db:
            bearer = await bearer_of_key(db, credential)
            return await make_token(
                db,
                account_id=bearer.account.id,
                key_id=bearer.key_id,
                expires_in=expires_in,
                max_seconds=max_seconds,
                now=now,
            )

    @_carried_through
    async def close_lost(self, now: float) -> int:
        """Close sessions of any server whose lease has lapsed; gives how many there were."""
        async with self.database.begin() as db:
            return await _close_as_lost(db, Entry.renewed_at <= now - LEASE_SECONDS)


def _count_new_session(account: Account, now: float) -> None:
    """Count a session that is opened now. Raises `Violation` if that is one too many."""
    if account.sessions_per_minute is None:
        return
    minute = int(now // 60)
    # Clocks of several servers, and one that is set back, do not agree on the minute.
    passed = max(0, minute - account.minute)
    limit = limit_after(
        account.minute_limit, account.minute_used, passed, start=account.sessions_per_minute
    )
    used = 0 if passed else account.minute_used
    if used >= limit:
        raise Violation(TOO_MANY_SESSIONS.because())
    account.minute += passed
    account.minute_limit = limit
    account.minute_used = used + 1


async def _entry(db: AsyncSession, session: str) -> Entry:
    return await db.get_one(Entry, session, with_for_update=True)


def _is_over(entry: Entry) -> bool:
    """Whether it has ended for good; one that was given up for lost may turn up again."""
    return entry.ended_at is not None and entry.closure != SESSION_LOST.name


async def _bill(db: AsyncSession, entry: Entry, usage: Usage) -> None:
    """Enter what the session has used so far, and take what is new from the balance."""
    entry.audio_ms, entry.session_ms = usage.audio_ms, usage.session_ms
    due = max(usage.session_ms, usage.audio_ms) - entry.billed_ms
    entry.billed_ms += due
    await db.execute(
        update(Account)
        .where(Account.id == entry.account_id, Account.balance_ms.is_not(None))
        .values(balance_ms=Account.balance_ms - due)
    )


async def _close_as_lost(db: AsyncSession, which: ColumnElement[bool]) -> int:
    """Close open sessions at their last sign of life, up to which they have been billed."""
    lost = await db.scalars(
        update(Entry)
        .where(Entry.ended_at.is_(None), which)
        .values(ended_at=Entry.renewed_at, closure=SESSION_LOST.name)
        .returning(Entry.id)
    )
    return len(lost.all())
