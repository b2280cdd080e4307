"""What an operator does with accounts, keys and tokens, and reads in the ledger."""

from collections.abc import Sequence
from typing import TypedDict, Unpack

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from turnwire.accounts.errors import NameTaken, NotFound, NotNow
from turnwire.accounts.keys import RECOGNIZED_BY, hash_key, new_key
from turnwire.accounts.leases import open_by_account
from turnwire.accounts.ledger import Ledger
from turnwire.accounts.names import account_name, key_name, reason_text
from turnwire.accounts.rate import START
from turnwire.accounts.tables import Account, ApiKey, TopUp
from turnwire.accounts.tokens import make_token

FIRST_ACCOUNT = "default"

LARGEST_ID = 2**31 - 1
"""What every database holds in an integer."""


LARGEST_BALANCE_MS = 1000 * (2**31 - 1)
"""68 years."""

MOST_TOP_UPS = 1000
"""How many are listed of an account."""


class Terms(TypedDict, total=False):
    """What can be set of an account; None is no limit."""

    enabled: bool
    balance_ms: int | None
    max_sessions: int | None
    sessions_per_minute: int | None


class Management(Ledger):
    """Everything but what a server does for its clients, which is `Store`.

    What names an account, key or session that is not there raises `NotFound`.
    """

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

    async def create_account(self, name: str, **terms: Unpack[Terms]) -> Account:
        """An account that may open 100 new sessions a minute, and is not limited otherwise.

        Unless the terms say something else. Raises `NameTaken` and `BadName`.
        """
        try:
            async with self._database.begin() as db:
                account = _new_account(name, terms, await self._database.now(db))
                db.add(account)
        except IntegrityError:
            raise NameTaken(await self._why_taken(account_name(name))) from None
        return account

    async def _why_taken(self, name: str) -> str:
        async with self._database.begin() as db:
            deleted = select(Account.deleted_at).where(Account.name == name)
            if await db.scalar(deleted) is not None:
                return f"An account named {name} was deleted, and the ledger keeps its name."
        return f"There is an account named {name} already."

    async def update_account(self, name: str, **terms: Unpack[Terms]) -> None:
        """Set these terms and leave the others."""
        async with self._database.begin() as db:
            _set(await _account(db, name, lock=True), terms)

    async def accounts(self) -> Sequence[Account]:
        """All accounts but those that were deleted."""
        query = select(Account).where(Account.deleted_at.is_(None)).order_by(Account.name)
        async with self._database.begin() as db:
            return (await db.scalars(query)).all()

    async def account(self, name: str) -> Account:
        async with self._database.begin() as db:
            return await _account(db, name)

    async def delete_account(self, name: str) -> None:
        """Let go of an account and its keys. The ledger keeps its sessions, and so its name.

        Raises `NotNow` if it has open sessions.
        """
        async with self._database.begin() as db:
            # Whoever wants to begin meanwhile waits, and finds the account disabled.
            account = await _account(db, name, lock=True)
            now = await self._database.now(db)
            if await open_by_account(db, [account.id], now):
                raise NotNow(f"The account {name} has open sessions; disable it to end them.")
            account.enabled, account.deleted_at = False, now
            await db.execute(
                update(ApiKey)
                .where(ApiKey.account_id == account.id, ApiKey.revoked_at.is_(None))
                .values(revoked_at=now)
            )

    async def top_up(self, account: str, ms: int, reason: str) -> TopUp:
        """Add to an account's balance, and write down why; a correction takes away.

        Raises `NotNow` if the account has no balance, and `BadName` for what is no reason.
        """
        reason = reason_text(reason)
        async with self._database.begin() as db:
            row = await _account(db, account, lock=True)
            if row.balance_ms is None:
                raise NotNow(f"The account {account} has no balance: it is not limited.")
            if abs(row.balance_ms + ms) > LARGEST_BALANCE_MS:
                raise NotNow(f"The balance of {account} would be larger than can be kept.")
            row.balance_ms += ms
            top_up = TopUp(
                account_id=row.id,
                at=await self._database.now(db),
                ms=ms,
                reason=reason,
                balance_ms=row.balance_ms,
            )
            db.add(top_up)
        return top_up

    async def top_ups(self, account: str) -> Sequence[TopUp]:
        """What was added to an account's balance, newest first."""
        async with self._database.begin() as db:
            row = await _account(db, account)
            query = select(TopUp).where(TopUp.account_id == row.id).order_by(TopUp.id.desc())
            return (await db.scalars(query.limit(MOST_TOP_UPS))).all()

    async def create_key(self, account: str, *, name: str) -> str:
        """A new key of the account, which is shown here once."""
        async with self._database.begin() as db:
            now = await self._database.now(db)
            return _add_key(db, await _account(db, account, lock=True), name, now)

    async def key(self, key: str) -> ApiKey:
        """What is kept of a key, with its account."""
        query = select(ApiKey).join(ApiKey.account).options(contains_eager(ApiKey.account))
        async with self._database.begin() as db:
            return (await db.scalars(query.where(ApiKey.hash == hash_key(key)))).one()

    async def take_back_key(self, key: str) -> None:
        """Undo the making of a key that nobody has seen."""
        async with self._database.begin() as db:
            await db.execute(delete(ApiKey).where(ApiKey.hash == hash_key(key)))

    async def keys(self, account: str | None = None) -> Sequence[ApiKey]:
        """The keys of an account, or all, in the order they were made, with their accounts."""
        query = select(ApiKey).join(ApiKey.account).options(contains_eager(ApiKey.account))
        async with self._database.begin() as db:
            if account is not None:
                query = query.where(ApiKey.account_id == (await _account(db, account)).id)
            return (await db.scalars(query.order_by(ApiKey.id))).all()

    async def revoke_key(self, id: int) -> ApiKey:
        """Let nobody in with this key any more. A key stays revoked since it first was."""
        query = select(ApiKey).join(ApiKey.account).options(contains_eager(ApiKey.account))
        async with self._database.begin() as db:
            key = None
            if id <= LARGEST_ID:
                key = await db.scalar(query.where(ApiKey.id == id))
            if key is None:
                raise NotFound(f"There is no key {id}.")
            key.revoked_at = key.revoked_at or await self._database.now(db)
        return key

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


async def _account(db: AsyncSession, name: str, *, lock: bool = False) -> Account:
    query = select(Account).where(Account.name == name, Account.deleted_at.is_(None))
    account = await db.scalar(query.with_for_update(key_share=True) if lock else query)
    if account is None:
        raise NotFound(f"There is no account named {name}.")
    return account
