"""Temporary tokens: made, and forgotten some time after they have expired."""

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnwire.accounts.keys import hash_key, new_token
from turnwire.accounts.tables import Token

KEPT_SECONDS = 24 * 60 * 60.0
"""How long an expired token is kept, so that its bearer is told that it has expired."""


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
    # Those that somebody is looking at just now are left for the next time: waiting for them
    # while an account is locked could be waiting for somebody who waits for the account.
    expired = select(Token.id).where(Token.expires_at < now - KEPT_SECONDS)
    await db.execute(delete(Token).where(Token.id.in_(expired.with_for_update(skip_locked=True))))
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
