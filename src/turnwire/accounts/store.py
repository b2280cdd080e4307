"""The registry of a server that has accounts: admission, leases and the ledger in a database."""

import functools
import math
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnwire.accounts.admission import LEASE_SECONDS, Grant, Usage
from turnwire.accounts.batcher import Batcher
from turnwire.accounts.credentials import bearer_of, bearer_of_key
from turnwire.accounts.database import Database
from turnwire.accounts.management import Management
from turnwire.accounts.rate import limit_after
from turnwire.accounts.tables import Account, Entry
from turnwire.accounts.tokens import make_token
from turnwire.wire.closures import SESSION_LOST, TOO_MANY_SESSIONS, Closure, Violation
from turnwire.wire.limits import LONGEST_SESSION_SECONDS

ENTERED_AT_ONCE = 500
"""How many sessions are entered in one transaction. Others wait for it, and statements are limited
in what they take."""

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


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life of a session, or its last."""

    session: str
    usage: Usage
    at: float
    closure: Closure | None = None


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
        self._reusable_tokens = reusable_tokens
        self._endings = Batcher(self._enter)

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
        await self._endings.finish()
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
                    raise Violation(TOO_MANY_SESSIONS.fill())
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

    async def renew(self, usages: Mapping[str, Usage], *, now: float) -> None:
        await self._enter([Sign(session, usage, now) for session, usage in usages.items()])

    async def end(self, session: str, usage: Usage, closure: Closure, *, now: float) -> None:
        await self._endings.submit(Sign(session, usage, now, closure))

    @_carried_through
    async def _enter(self, signs: Sequence[Sign]) -> None:
        for first in range(0, len(signs), ENTERED_AT_ONCE):
            async with self.database.begin() as db:
                await _enter(db, signs[first : first + ENTERED_AT_ONCE])

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
        raise Violation(TOO_MANY_SESSIONS.fill())
    account.minute += passed
    account.minute_limit = limit
    account.minute_used = used + 1


async def _enter(db: AsyncSession, signs: Sequence[Sign]) -> None:
    """Enter what sessions say of themselves, and take what is new from the balances.

    Those that have ended for good are left alone; one that was given up for lost has not.
    """
    # Whoever locks several entries does so in their order, and accounts after them: so nobody
    # waits for somebody who waits for them.
    going_on = await db.execute(
        select(Entry.id, Entry.account_id, Entry.billed_ms)
        .where(
            Entry.id.in_([sign.session for sign in signs]),
            or_(Entry.ended_at.is_(None), Entry.closure == SESSION_LOST.name),
        )
        .order_by(Entry.id)
        .with_for_update()
    )
    sign_of = {sign.session: sign for sign in signs}
    entries = []
    due: Counter[int] = Counter()
    for id, account_id, billed_ms in going_on:
        sign = sign_of[id]
        used = max(sign.usage.session_ms, sign.usage.audio_ms)
        due[account_id] += used - billed_ms
        entries.append(
            {
                "id": id,
                "audio_ms": sign.usage.audio_ms,
                "session_ms": sign.usage.session_ms,
                "billed_ms": used,
                "renewed_at": sign.at,
                "ended_at": sign.at if sign.closure else None,
                "closure": sign.closure.row.name if sign.closure else None,
            }
        )
    if entries:
        await db.execute(update(Entry), entries)
    for account_id, used in sorted(due.items()):
        await db.execute(
            update(Account)
            .where(Account.id == account_id, Account.balance_ms.is_not(None))
            .values(balance_ms=Account.balance_ms - used)
        )


async def _close_as_lost(db: AsyncSession, which: ColumnElement[bool]) -> int:
    """Close open sessions at their last sign of life, up to which they have been billed."""
    lost = await db.scalars(
        update(Entry)
        .where(
            Entry.id.in_(
                select(Entry.id)
                .where(Entry.ended_at.is_(None), which)
                .order_by(Entry.id)
                .with_for_update()
            )
        )
        .values(ended_at=Entry.renewed_at, closure=SESSION_LOST.name)
        .returning(Entry.id)
    )
    return len(lost.all())
