"""Leases of open sessions: what renewing them brings, and which of them have to end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnwire.accounts.admission import LEASE_SECONDS, Funds, Renewal, Usage
from turnwire.accounts.billing import Balance, OpenSessions, billable_ms
from turnwire.accounts.credentials import CROWDED, DISABLED, ENDED, REVOKED, access_ended
from turnwire.accounts.locks import locked_counted_accounts
from turnwire.accounts.moments import over
from turnwire.accounts.tables import Account, ApiKey, Entry
from turnwire.wire.closure import Closure
from turnwire.wire.closures import SESSION_LOST

ENTERED_AT_ONCE = 500
"""How many sessions are entered in one transaction, or closed in one statement. Others wait for
it, and statements are limited in what they take."""


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """A sign of life of a session, or its last."""

    session: str
    usage: Usage
    closure: Closure | None = None


def lapsed(now: float) -> ColumnElement[bool]:
    """Whether an entry's lease has lapsed."""
    return over(Entry.renewed_at, LEASE_SECONDS, now)


def alive(now: float) -> ColumnElement[bool]:
    """Whether an entry is of a session that is open, and not of a server that died."""
    return Entry.ended_at.is_(None) & ~lapsed(now)


async def open_by_account(
    db: AsyncSession, accounts: Sequence[int], now: float
) -> dict[int, OpenSessions]:
    rows = await db.execute(
        select(Entry.account_id, func.count(), func.sum(Entry.reserved_ms))
        .where(Entry.account_id.in_(accounts), alive(now))
        .group_by(Entry.account_id)
    )
    # PostgreSQL adds integers up to decimals.
    return {account: OpenSessions(sessions, int(reserved)) for account, sessions, reserved in rows}


async def enter(db: AsyncSession, signs: Sequence[SignOfLife], now: float) -> dict[str, Renewal]:
    """Enter what sessions say of themselves, and take what is new from the balances.

    Gives what follows for those that go on. Those that have ended for good are left alone; one
    that was given up for lost has not.
    """
    sign_of = {sign.session: sign for sign in signs}
    # In the order of `locks`.
    entries = (
        await db.scalars(
            select(Entry)
            .where(
                Entry.id.in_(sign_of),
                or_(Entry.ended_at.is_(None), Entry.closure == SESSION_LOST.name),
            )
            .order_by(Entry.id)
            .with_for_update()
        )
    ).all()
    # Sessions of an account without a limit do not wait for each other, on however many nodes.
    counted = await locked_counted_accounts(db, {entry.account_id for entry in entries})
    going_on = [entry for entry in entries if sign_of[entry.id].closure is None]
    told = await _told_to_end(db, going_on, counted, now) if going_on else {}
    for entry in entries:
        sign, account = sign_of[entry.id], counted.get(entry.account_id)
        billed = billable_ms(sign.usage)
        if account is not None and account.balance_ms is not None:
            account.balance_ms -= billed - entry.billed_ms
        entry.billed_ms = billed
        entry.audio_ms, entry.session_ms = sign.usage.audio_ms, sign.usage.session_ms
        entry.renewed_at = now
        entry.ended_at = now if sign.closure else None
        entry.closure = sign.closure.row.name if sign.closure else None
        entry.reserved_ms = 0
    await db.flush()
    renewed = [entry for entry in going_on if entry.id not in told]
    return {**await _reserve(db, renewed, counted, now), **told}


async def _told_to_end(
    db: AsyncSession, entries: Sequence[Entry], counted: Mapping[int, Account], now: float
) -> dict[str, Closure]:
    """The sessions that the account may not have any longer, and why."""
    disabled = set(
        await db.scalars(
            select(Account.id).where(
                Account.id.in_({entry.account_id for entry in entries}), ~Account.enabled
            )
        )
    )
    keys = {entry.key_id for entry in entries if entry.key_id is not None}
    revoked = set(
        await db.scalars(
            select(ApiKey.id).where(ApiKey.id.in_(keys), ApiKey.revoked_at.is_not(None))
        )
    )
    crowded = await _crowded(db, entries, counted, now)
    told = {}
    for entry in entries:
        if entry.account_id in disabled:
            told[entry.id] = access_ended(DISABLED)
        elif entry.key_id in revoked:
            told[entry.id] = access_ended(REVOKED)
        elif entry.end_requested_at is not None:
            told[entry.id] = access_ended(ENDED)
        elif entry.id in crowded:
            told[entry.id] = access_ended(CROWDED)
    return told


async def _crowded(
    db: AsyncSession, entries: Sequence[Entry], accounts: Mapping[int, Account], now: float
) -> set[str]:
    """The sessions for which the account has no slot.

    A session whose lease lapsed goes on if its slot was not taken meanwhile. If the limit was
    lowered, those that began last have none.
    """
    limits = await _limits_in_question(db, entries, accounts, now)
    if not limits:
        return set()
    alive_ = await db.execute(
        select(Entry.account_id, Entry.id)
        .where(Entry.account_id.in_(limits), alive(now))
        .order_by(Entry.begun_at, Entry.id)
    )
    holders: dict[int, list[str]] = {account: [] for account in limits}
    for account, session in alive_:
        holders[account].append(session)
    crowded = set()
    for account, limit in limits.items():
        holding = holders[account]
        crowded.update(holding[limit:])
        for entry in entries:
            if entry.account_id == account and entry.id not in holding:
                if len(holding) < limit:
                    holding.append(entry.id)
                else:
                    crowded.add(entry.id)
    return crowded


async def _limits_in_question(
    db: AsyncSession, entries: Sequence[Entry], accounts: Mapping[int, Account], now: float
) -> dict[int, int]:
    """The limits of accounts that have more sessions, or get some back whose leases lapsed.

    Only for these, who has a slot is looked up: it takes long where there are thousands.
    """
    limits = {
        id: account.max_sessions
        for id, account in accounts.items()
        if account.max_sessions is not None
    }
    open_ = await open_by_account(db, list(limits), now) if limits else {}
    back = {entry.account_id for entry in entries if _was_lapsed(entry, now)}
    return {
        id: limit
        for id, limit in limits.items()
        if id in back or open_.get(id, OpenSessions()).sessions > limit
    }


def _was_lapsed(entry: Entry, now: float) -> bool:
    return entry.ended_at is not None or over(entry.renewed_at, LEASE_SECONDS, now)


async def _reserve(
    db: AsyncSession, entries: Sequence[Entry], accounts: Mapping[int, Account], now: float
) -> dict[str, Funds | None]:
    """Set aside what these sessions may use until they are renewed again."""
    ids = {entry.account_id for entry in entries}
    left = {
        id: account.balance_ms
        for id, account in accounts.items()
        if id in ids and account.balance_ms is not None
    }
    open_ = await open_by_account(db, list(left), now) if left else {}
    balances = {id: Balance(ms, open_.get(id, OpenSessions())) for id, ms in left.items()}
    funds: dict[str, Funds | None] = {}
    for entry in entries:
        balance = balances.get(entry.account_id)
        if balance is None:
            funds[entry.id] = None
        else:
            entry.reserved_ms, funds[entry.id] = balance.take(entry.billed_ms)
    return funds


async def close_as_lost(db: AsyncSession, which: ColumnElement[bool], now: float) -> int:
    """Close open sessions at their last sign of life, up to which they have been billed."""
    ids = (
        await db.scalars(
            select(Entry.id)
            .where(Entry.ended_at.is_(None), which)
            .order_by(Entry.id)
            .with_for_update()
        )
    ).all()
    for first in range(0, len(ids), ENTERED_AT_ONCE):
        await db.execute(
            update(Entry)
            .execution_options(synchronize_session=False)
            .where(Entry.id.in_(ids[first : first + ENTERED_AT_ONCE]))
            .values(
                ended_at=case((Entry.renewed_at > now, now), else_=Entry.renewed_at),
                closure=SESSION_LOST.name,
                reserved_ms=0,
            )
        )
    return len(ids)
