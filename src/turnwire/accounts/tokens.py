"""Temporary tokens: made, and forgotten some time after they have expired.

Where they open a session they are used up in `turnwire.accounts.entrance`.
"""

from typing import overload

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnwire.accounts.keys import hash_key, new_token
from turnwire.accounts.moments import Column, over
from turnwire.accounts.tables import Token
from turnwire.wire.limits import LONGEST_TOKEN_SECONDS

KEPT_SECONDS = 24 * 60 * 60.0
"""How long an expired token is kept, so that its bearer is told that it has expired."""


@overload
def expired_for(seconds: float, expires_at: float, now: float) -> bool: ...
@overload
def expired_for(seconds: float, expires_at: Column, now: float) -> ColumnElement[bool]: ...
def expired_for(
    seconds: float, expires_at: float | Column, now: float
) -> bool | ColumnElement[bool]:
    """Whether a token expired so long ago; in Python or in SQL.

    It can have been made no earlier than the longest life of a token before it expires, and by
    that it is judged: a clock that was ahead made it in the future.
    """
    return over(expires_at, seconds + LONGEST_TOKEN_SECONDS, now + LONGEST_TOKEN_SECONDS)


async def make_token(
    db: AsyncSession,
    *,
    account_id: int,
    key_id: int | None,
    expires_in: int,
    max_seconds: int,
    now: float,
) -> str:
    """A new token of the account; long expired ones are forgotten."""
    await forget_expired(db, now)
    return add_token(
        db,
        account_id=account_id,
        key_id=key_id,
        expires_in=expires_in,
        max_seconds=max_seconds,
        now=now,
    )


async def forget_expired(db: AsyncSession, now: float) -> None:
    # Those that somebody is looking at just now are left for the next time: waiting for them
    # while an account is locked could be waiting for somebody who waits for the account.
    expired = select(Token.id).where(expired_for(KEPT_SECONDS, Token.expires_at, now))
    await db.execute(delete(Token).where(Token.id.in_(expired.with_for_update(skip_locked=True))))


def add_token(
    db: AsyncSession,
    *,
    account_id: int,
    key_id: int | None,
    expires_in: int,
    max_seconds: int,
    now: float,
) -> str:
    token = new_token()
    db.add(
        Token(
            account_id=account_id,
            key_id=key_id,
            hash=hash_key(token),
            created_at=now,
            expires_at=now + expires_in,
            max_seconds=max_seconds,
        )
    )
    return token
