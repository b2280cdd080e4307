"""Rows that are locked until a transaction ends.

Every transaction takes what it needs in one order, tokens, then sessions, then accounts, and each
kind by their ids: so none waits for one that waits for it. The locks leave room for foreign keys
to the locked rows (`key_share`).
"""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnwire.accounts.tables import Account, Token


async def locked_tokens(db: AsyncSession, hashes: Collection[str]) -> Sequence[Token]:
    if not hashes:
        return []
    tokens = await db.scalars(
        select(Token)
        .where(Token.hash.in_(hashes))
        .order_by(Token.id)
        .with_for_update(key_share=True)
    )
    return tokens.all()


async def locked_counted_accounts(db: AsyncSession, ids: Collection[int]) -> dict[int, Account]:
    """Those of the accounts that have a balance or a limit of sessions at once, by their ids."""
    counted = or_(Account.balance_ms.is_not(None), Account.max_sessions.is_not(None))
    return await _locked(db, Account.id.in_(ids) & counted)


async def locked_accounts(db: AsyncSession, ids: Collection[int]) -> dict[int, Account]:
    """The accounts, by their ids."""
    return await _locked(db, Account.id.in_(ids))


async def _locked(db: AsyncSession, which: ColumnElement[bool]) -> dict[int, Account]:
    accounts = await db.scalars(
        select(Account).where(which).order_by(Account.id).with_for_update(key_share=True)
    )
    return {account.id: account for account in accounts}
