"""Whom a credential stands for: a key or a token, and the account behind it."""

import hmac
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from turnwire.accounts.keys import hash_key
from turnwire.accounts.moments import over
from turnwire.accounts.tables import Account, ApiKey, Token
from turnwire.accounts.tokens import expired_for
from turnwire.wire.closures import (
    ACCESS_ENDED,
    MISSING_AUTHORIZATION,
    UNAUTHORIZED,
    Closure,
    Violation,
)
from turnwire.wire.limits import LONGEST_TOKEN_SECONDS

INVALID = "Invalid API key"
REVOKED = "API key has been revoked"
EXPIRED = "Signature has expired"
USED = "Token has already been used"
DISABLED = "Account disabled"
NO_BALANCE = "Insufficient account balance"
CROWDED = "Too many concurrent sessions"


@dataclass(frozen=True, slots=True)
class Bearer:
    account: Account
    key: ApiKey | None
    """What was brought, or what the token was asked for with."""
    token: Token | None

    @property
    def key_id(self) -> int | None:
        return None if self.key is None else self.key.id

    @property
    def token_id(self) -> int | None:
        return None if self.token is None else self.token.id


def unauthorized(reason: str) -> Violation:
    return Violation(UNAUTHORIZED.fill(reason=reason))


def access_ended(reason: str) -> Closure:
    """How an open session ends that the account may not have any longer."""
    return ACCESS_ENDED.fill(reason=reason)


async def bearer_of_key(db: AsyncSession, credential: str | None) -> Bearer:
    """Whose API key this is. Raises `Violation` if it is none that may be used."""
    bearer = await _by_key(db, _present(credential))
    if bearer is None:
        raise unauthorized(INVALID)
    check_standing(bearer)
    return bearer


async def bearer_of(db: AsyncSession, credential: str | None) -> Bearer:
    """Whose API key or token this is, the account locked until the transaction ends.

    Raises `Violation` if it is none; whether it may be used is still to be checked.
    """
    brought = _present(credential)
    bearer = await _by_key(db, brought) or await _by_token(db, brought)
    if bearer is None:
        raise unauthorized(INVALID)
    return bearer


def check_token(token: Token, *, reusable: bool, now: float) -> None:
    """Raises `Violation` if the token opens no session now."""
    if expired_for(0, token.expires_at, now) or over(token.created_at, LONGEST_TOKEN_SECONDS, now):
        raise unauthorized(EXPIRED)
    if token.used_at is not None and not reusable:
        raise unauthorized(USED)


def _present(credential: str | None) -> str:
    if not credential:
        raise Violation(MISSING_AUTHORIZATION.fill())
    return credential


# The locks leave room for foreign keys to the locked rows (`key_share`), and every transaction
# takes a token's before its account's: none waits for another in a circle.


async def _by_key(db: AsyncSession, credential: str) -> Bearer | None:
    hash_ = hash_key(credential)
    key = await db.scalar(
        select(ApiKey)
        .join(ApiKey.account)
        .where(ApiKey.hash == hash_)
        .options(contains_eager(ApiKey.account))
        .with_for_update(of=Account, key_share=True)
    )
    if key is None or not hmac.compare_digest(key.hash, hash_):
        return None
    return Bearer(key.account, key, None)


async def _by_token(db: AsyncSession, credential: str) -> Bearer | None:
    hash_ = hash_key(credential)
    token = await db.scalar(
        select(Token)
        .join(Token.account)
        .outerjoin(Token.key)
        .where(Token.hash == hash_)
        .options(contains_eager(Token.account), contains_eager(Token.key))
        .with_for_update(of=(Token, Account), key_share=True)
    )
    if token is None or not hmac.compare_digest(token.hash, hash_):
        return None
    return Bearer(token.account, token.key, token)


def check_standing(bearer: Bearer) -> None:
    """Raises `Violation` if the key was revoked, or its account may open no session."""
    account = bearer.account
    if bearer.key is not None and bearer.key.revoked_at is not None:
        raise unauthorized(REVOKED)
    if not account.enabled:
        raise unauthorized(DISABLED)
    if account.balance_ms is not None and account.balance_ms <= 0:
        raise unauthorized(NO_BALANCE)
