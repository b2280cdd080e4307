"""What is still to be posted, in the database: kept before it is sent, and only as long as needed.

A server takes a delivery by moving on when it is due. So no other takes it meanwhile, and another
one does if that server dies over it. The database's clock is the only clock.
"""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from turnwire.accounts.database import Database, carried_through
from turnwire.accounts.errors import NotFound, NotNow
from turnwire.accounts.tables import Account, Delivery
from turnwire.webhooks.administration import Listed
from turnwire.webhooks.signing import new_secret

PAUSES = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0)
"""Seconds between attempts: ten of them, within sixteen hours."""

EARLIER = 0.2
"""What part of a pause may be left out, by chance: what failed together comes apart like that, and
does not fall all at once on a receiver that is just back."""

ATTEMPTS = len(PAUSES) + 1

CLAIM_SECONDS = 60.0
"""How long a delivery that is being posted is left to the server that does it."""

LISTED_SECONDS = 30 * 24 * 60 * 60.0
"""How long a delivery is listed, without what was in it."""

DELIVERED, FAILED, WAITING = "delivered", "failed", "waiting"


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a session left to post."""

    session_id: str
    account: str
    url: str
    header: tuple[str, str] | None
    body: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery that this server has taken on."""

    id: str
    session_id: str
    account_id: int
    secret: str
    """Of the account, to sign with."""
    url: str
    header: tuple[str, str] | None
    body: str
    number: int
    """1 for the first."""
    at: float
    """In Unix seconds."""


@dataclass(frozen=True, slots=True)
class PostResult:
    """What came of an attempt."""

    status: int | None
    """Of the answer; None: there was none."""
    error: str | None
    """Why that is no delivery; None: it is one."""
    again: bool = False
    """Whether another attempt may do better."""


class Deliveries:
    """The deliveries of all servers that share a database."""

    def __init__(self, database: Database, chance: Callable[[], float] = random.random) -> None:
        """`chance` gives numbers from 0 to 1."""
        self.database = database
        self._chance = chance

    @carried_through
    async def keep(self, parcel: Parcel) -> None:
        """Take on what is to be posted; it is due at once."""
        async with self.database.begin() as db:
            now = await self.database.now(db)
            account = await _account(db, parcel.account)
            name, value = parcel.header or (None, None)
            db.add(
                Delivery(
                    id=f"msg_{uuid4().hex}",
                    account_id=account.id,
                    session_id=parcel.session_id,
                    url=parcel.url,
                    header_name=name,
                    header_value=value,
                    body=parcel.body,
                    created_at=now,
                    next_at=now,
                )
            )

    @carried_through
    async def take(self, *, not_of: Collection[int]) -> Attempt | None:
        """The delivery that is due for longest, but of none of these accounts; None: none is."""
        async with self.database.begin() as db:
            now = await self.database.now(db)
            # One that is due later than any can be was kept by a clock that was ahead.
            due = or_(Delivery.next_at <= now, Delivery.next_at > now + 2 * max(PAUSES))
            delivery = await db.scalar(
                select(Delivery)
                .where(due, Delivery.account_id.not_in(not_of))
                .order_by(Delivery.next_at)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            if delivery is None:
                return None
            if delivery.attempts >= ATTEMPTS:
                delivery.last_error = "The server that posted it last died over it."
                _finish(delivery)
                return None
            delivery.attempts += 1
            delivery.next_at = now + CLAIM_SECONDS
            account = await db.get_one(Account, delivery.account_id)
            return _attempt(delivery, await _secret(db, account), now)

    @carried_through
    async def note(self, attempt: Attempt, outcome: PostResult) -> bool:
        """Write down what came of an attempt; gives whether there will be another one."""
        async with self.database.begin() as db:
            delivery = await db.get(Delivery, attempt.id, with_for_update=True)
            if delivery is None or delivery.next_at is None:
                return False
            delivery.last_status, delivery.last_error = outcome.status, outcome.error
            now = await self.database.now(db)
            if outcome.error is None:
                delivery.delivered_at = now
            elif outcome.again and attempt.number < ATTEMPTS:
                # Of two attempts, as the first took too long, only the later one says when.
                if delivery.attempts == attempt.number:
                    pause = PAUSES[attempt.number - 1] * (1 - EARLIER * self._chance())
                    delivery.next_at = now + pause
                return True
            _finish(delivery)
            return False

    @carried_through
    async def prune(self) -> None:
        """Forget those that were finished long ago."""
        async with self.database.begin() as db:
            since = await self.database.now(db) - LISTED_SECONDS
            await db.execute(
                delete(Delivery).where(Delivery.next_at.is_(None), Delivery.created_at < since)
            )

    @carried_through
    async def newest(self, *, account: str | None = None, limit: int) -> Sequence[Listed]:
        """Newest first."""
        query = select(Delivery).join(Delivery.account).options(contains_eager(Delivery.account))
        async with self.database.begin() as db:
            if account is not None:
                query = query.where(Delivery.account_id == (await _account(db, account)).id)
            query = query.order_by(Delivery.created_at.desc()).limit(limit)
            return [_listed(delivery) for delivery in await db.scalars(query)]

    @carried_through
    async def retry(self, id: str) -> None:
        """Post it now, and not only when it is due. Raises `NotFound` and `NotNow`."""
        async with self.database.begin() as db:
            delivery = await db.get(Delivery, id, with_for_update=True)
            if delivery is None:
                raise NotFound(f"There is no delivery {id}.")
            if delivery.next_at is None:
                raise NotNow(f"Delivery {id} is finished; what was in it is not kept.")
            delivery.next_at = await self.database.now(db)

    @carried_through
    async def secret(self, account: str, *, new: bool = False) -> str:
        """What an account's webhooks are signed with, or from now on."""
        async with self.database.begin() as db:
            found = await _account(db, account)
            if new:
                found.webhook_secret = None
                await db.flush()
            return await _secret(db, found)


async def _secret(db: AsyncSession, account: Account) -> str:
    """The account's secret, made if it has none."""
    if account.webhook_secret is None:
        # Two servers may want to make it.
        await db.refresh(account, with_for_update=True)
        account.webhook_secret = account.webhook_secret or new_secret()
    return account.webhook_secret


async def _account(db: AsyncSession, name: str) -> Account:
    account = await db.scalar(select(Account).where(Account.name == name))
    if account is None:
        raise NotFound(f"There is no account named {name}.")
    return account


def _finish(delivery: Delivery) -> None:
    """Keep nothing of what was said, nor the receiver's secret."""
    delivery.next_at = delivery.body = delivery.header_value = None
    delivery.url = _origin(delivery.url)


def _origin(url: str) -> str:
    """The rest of an address may have a secret in it."""
    scheme, netloc, *_ = urlsplit(url)
    return f"{scheme}://{netloc}"


def _attempt(delivery: Delivery, secret: str, now: float) -> Attempt:
    header = None
    if delivery.header_name is not None:
        header = delivery.header_name, delivery.header_value or ""
    return Attempt(
        delivery.id,
        delivery.session_id,
        delivery.account_id,
        secret,
        delivery.url,
        header,
        delivery.body or "",
        delivery.attempts,
        now,
    )


def _listed(delivery: Delivery) -> Listed:
    state = WAITING if delivery.next_at is not None else FAILED
    return Listed(
        id=delivery.id,
        session_id=delivery.session_id,
        account=delivery.account.name,
        host=urlsplit(delivery.url).netloc,
        state=DELIVERED if delivery.delivered_at is not None else state,
        attempts=delivery.attempts,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
        created_at=delivery.created_at,
        next_at=delivery.next_at,
        delivered_at=delivery.delivered_at,
    )
