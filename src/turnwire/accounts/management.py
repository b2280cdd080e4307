"""What an operator does with accounts, keys and tokens, and reads in the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from turnwire.accounts.database import Database
from turnwire.accounts.errors import NameTaken, NotFound
from turnwire.accounts.keys import hash_key, new_key
from turnwire.accounts.names import account_name, key_name
from turnwire.accounts.rate import START
from turnwire.accounts.tables import Account, ApiKey, Entry
from turnwire.accounts.tokens import make_token

FIRST_ACCOUNT = "default"

RECOGNIZED_BY = 8
"""How many of a key's first characters are kept."""


LARGEST_ID = 2**31 - 1
"""What every database holds in an integer."""


class Terms(TypedDict, total=False):
    """What can be set of an account; None is no limit."""

    enabled: bool
    balance_ms: int | None
    max_sessions: int | None
    sessions_per_minute: int | None


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What an account's sessions that ended in one way came to."""

    account: str
    closure: str | None
    """None for sessions that are open."""
    sessions: int
    audio_ms: int
    billed_ms: int


class Management:
    """Everything but what a server does for its clients, which is `Store`.

    What names an account, key or session that is not there raises `NotFound`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has_keys(self) -> bool:
        async with self._database.begin() as db:
            return await _has_keys(db)

    async def create_first_account(self) -> str | None:
        """The first key, which is shown here once, of the first account; None if there are keys."""
        try:
            return await self._create_first_account()
        except IntegrityError:
            return None  # Another process has made it in the same moment.

    async def _create_first_account(self) -> str | None:
        async with self._database.begin() as db:
            if await _has_keys(db):
                return None
            now = await self._database.now(db)
            account = await db.scalar(select(Account).where(Account.name == FIRST_ACCOUNT))
            if account is None:
                account = _new_account(FIRST_ACCOUNT, {}, now)
                db.add(account)
                await db.flush()
            return _add_key(db, account, FIRST_ACCOUNT, now)

    async def create_account(self, name: str, **terms: Unpack[Terms]) -> None:
        """An account that may open 100 new sessions a minute, and is not limited otherwise.

        Unless the terms say something else. Raises `NameTaken` and `BadName`.
        """
        try:
            async with self._database.begin() as db:
                db.add(_new_account(name, terms, await self._database.now(db)))
        except IntegrityError:
            raise NameTaken(f"There is an account named {name} already.") from None

    async def update_account(self, name: str, **terms: Unpack[Terms]) -> None:
        """Set these terms and leave the others."""
        async with self._database.begin() as db:
            _set(await _account(db, name), terms)

    async def accounts(self) -> Sequence[Account]:
        async with self._database.begin() as db:
            return (await db.scalars(select(Account).order_by(Account.name))).all()

    async def create_key(self, account: str, *, name: str) -> str:
        """A new key of the account, which is shown here once."""
        async with self._database.begin() as db:
            now = await self._database.now(db)
            return _add_key(db, await _account(db, account), name, now)

    async def take_back_key(self, key: str) -> None:
        """Undo the making of a key that nobody has seen."""
        async with self._database.begin() as db:
            await db.execute(delete(ApiKey).where(ApiKey.hash == hash_key(key)))

    async def keys(self) -> Sequence[ApiKey]:
        """All keys, in the order they were made, with their accounts."""
        query = select(ApiKey).join(ApiKey.account).options(contains_eager(ApiKey.account))
        async with self._database.begin() as db:
            return (await db.scalars(query.order_by(ApiKey.id))).all()

    async def revoke_key(self, id: int) -> None:
        """Let nobody in with this key any more. A key stays revoked since it first was."""
        async with self._database.begin() as db:
            key = await db.get(ApiKey, id) if id <= LARGEST_ID else None
            if key is None:
                raise NotFound(f"There is no key {id}.")
            key.revoked_at = key.revoked_at or await self._database.now(db)

    async def create_token(self, account: str, *, expires_in: int, max_seconds: int) -> str:
        """A token for one session of the account, as `Store.issue_token` makes them."""
        async with self._database.begin() as db:
            return await make_token(
                db,
                account_id=(await _account(db, account)).id,
                key_id=None,
                expires_in=expires_in,
                max_seconds=max_seconds,
                now=await self._database.now(db),
            )

    async def sessions(
        self, *, account: str | None, only_open: bool, limit: int
    ) -> Sequence[Entry]:
        """The newest sessions, newest first, with their accounts."""
        query = select(Entry).join(Entry.account).options(contains_eager(Entry.account))
        if only_open:
            query = query.where(Entry.ended_at.is_(None))
        async with self._database.begin() as db:
            if account is not None:
                query = query.where(Entry.account_id == (await _account(db, account)).id)
            query = query.order_by(Entry.begun_at.desc()).limit(limit)
            return (await db.scalars(query)).all()

    async def session(self, id: str) -> Entry:
        """One session, with its account."""
        query = select(Entry).join(Entry.account).options(contains_eager(Entry.account))
        async with self._database.begin() as db:
            entry = await db.scalar(query.where(Entry.id == id))
        if entry is None:
            raise NotFound(f"There is no session {id}.")
        return entry

    async def usage(self, *, account: str | None, since: float | None) -> list[UsageRow]:
        """What sessions begun at `since` or later came to, by account and closure."""
        query = (
            select(
                Account.name,
                Entry.closure,
                func.count(),
                func.sum(Entry.audio_ms),
                func.sum(Entry.billed_ms),
            )
            .join(Entry.account)
            .group_by(Account.name, Entry.closure)
            .order_by(Account.name, Entry.closure.nulls_last())
        )
        if since is not None:
            query = query.where(Entry.begun_at >= since)
        async with self._database.begin() as db:
            if account is not None:
                query = query.where(Account.id == (await _account(db, account)).id)
            rows = (await db.execute(query)).all()
        # PostgreSQL adds integers up to decimals.
        return [
            UsageRow(name, closure, sessions, int(audio_ms), int(billed_ms))
            for name, closure, sessions, audio_ms, billed_ms in rows
        ]


async def _has_keys(db: AsyncSession) -> bool:
    return await db.scalar(select(ApiKey.id).limit(1)) is not None


def _new_account(name: str, terms: Terms, now: float) -> Account:
    account = Account(name=account_name(name), created_at=now)
    _set(account, {"sessions_per_minute": START, **terms})
    return account


def _set(account: Account, terms: Terms) -> None:
    for term, value in terms.items():
        setattr(account, term, value)
    if "sessions_per_minute" in terms:
        # A new limit starts a new minute.
        account.minute = account.minute_used = 0
        account.minute_limit = terms["sessions_per_minute"] or 0


def _add_key(db: AsyncSession, account: Account, name: str, now: float) -> str:
    key = new_key()
    db.add(
        ApiKey(
            account_id=account.id,
            name=key_name(name),
            hash=hash_key(key),
            start=key[:RECOGNIZED_BY],
            created_at=now,
        )
    )
    return key


async def _account(db: AsyncSession, name: str) -> Account:
    account = await db.scalar(select(Account).where(Account.name == name))
    if account is None:
        raise NotFound(f"There is no account named {name}.")
    return account
