"""Whom credentials stand for: keys and tokens, and the accounts behind them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from turnwire.accounts.keys import hash_key
from turnwire.accounts.locks import locked_accounts, locked_tokens
from turnwire.accounts.moments import over
from turnwire.accounts.tables import Account, ApiKey, Token
from turnwire.accounts.tokens import expired_for
from turnwire.wire.closure import Closure, Violation
from turnwire.wire.closures import ACCESS_ENDED, MISSING_AUTHORIZATION, UNAUTHORIZED
from turnwire.wire.limits import LONGEST_TOKEN_SECONDS

INVALID = "Invalid API key"
REVOKED = "API key has been revoked"
EXPIRED = "Signature has expired"
USED = "Token has already been used"
DISABLED = "Account disabled"
NO_BALANCE = "Insufficient account balance"
CROWDED = "Too many concurrent sessions"
ENDED = "Ended by an operator"


UNKNOWN_CREDENTIAL = UNAUTHORIZED.fill(reason=INVALID)
"""How a client is refused whose credential nobody has: somebody may be guessing."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom one credential stands for."""

    account: Account
    key: ApiKey | None
    """The key that was brought, or the one that the token was made with."""
    token: Token | None = None

    @property
    def key_id(self) -> int | None:
        return None if self.key is None else self.key.id

    @property
    def token_id(self) -> int | None:
        return None if self.token is None else self.token.id


class Bearers:
    """Whose credentials these are."""

    def __init__(self, by_hash: dict[str, Bearer]) -> None:
        self._by_hash = by_hash

    @property
    def accounts(self) -> dict[int, Account]:
        """The accounts behind them, by their ids."""
        return {bearer.account.id: bearer.account for bearer in self._by_hash.values()}

    def of(self, credential: str | None) -> Bearer:
        """Raises `Violation` if it is nobody's; whether it may be used is still to be checked."""
        if not credential:
            raise Violation(MISSING_AUTHORIZATION.fill())
        bearer = self._by_hash.get(hash_key(credential))
        if bearer is None:
            raise Violation(UNKNOWN_CREDENTIAL)
        return bearer


def unauthorized(reason: str) -> Violation:
    return Violation(UNAUTHORIZED.fill(reason=reason))


def access_ended(reason: str) -> Closure:
    """How an open session ends that the account may not have any longer."""
    return ACCESS_ENDED.fill(reason=reason)


async def bearers_of_keys(db: AsyncSession, credentials: Iterable[str | None]) -> Bearers:
    """Whose API keys these are."""
    keys = (await db.scalars(select(ApiKey).where(ApiKey.hash.in_(_hashes(credentials))))).all()
    ids = {key.account_id for key in keys}
    found = await db.scalars(select(Account).where(Account.id.in_(ids)))
    accounts = {account.id: account for account in found}
    return Bearers({key.hash: Bearer(accounts[key.account_id], key) for key in keys})


async def bearers_of(db: AsyncSession, credentials: Iterable[str | None]) -> Bearers:
    """Whose API keys and tokens these are, the accounts locked until the transaction ends."""
    hashes = _hashes(credentials)
    columns = select(ApiKey.hash, ApiKey.id, ApiKey.account_id)
    brought = (await db.execute(columns.where(ApiKey.hash.in_(hashes)))).all()
    tokens = await locked_tokens(db, hashes - {row.hash for row in brought})
    ids = {row.account_id for row in brought} | {token.account_id for token in tokens}
    accounts = await locked_accounts(db, ids)
    # Only now: what others did to them while they had the accounts locked counts.
    asked_with = {token.key_id for token in tokens if token.key_id is not None}
    keys = await _keys(db, asked_with | {row.id for row in brought})
    by_hash = {key.hash: Bearer(accounts[key.account_id], key) for key in keys.values()}
    for token in tokens:
        key = keys[token.key_id] if token.key_id else None
        by_hash[token.hash] = Bearer(accounts[token.account_id], key, token)
    return Bearers(by_hash)


async def _keys(db: AsyncSession, ids: Collection[int]) -> dict[int, ApiKey]:
    """The keys, by their ids; none of them is deleted until the transaction ends."""
    keys = await db.scalars(
        select(ApiKey)
        .where(ApiKey.id.in_(ids))
        .order_by(ApiKey.id)
        .with_for_update(read=True, key_share=True)
    )
    return {key.id: key for key in keys}


def _hashes(credentials: Iterable[str | None]) -> set[str]:
    return {hash_key(each) for each in credentials if each}


def check_token(token: Token, *, reusable: bool, now: float) -> None:
    """Raises `Violation` if the token opens no session now."""
    if expired_for(0, token.expires_at, now) or over(token.created_at, LONGEST_TOKEN_SECONDS, now):
        raise unauthorized(EXPIRED)
    if token.used_at is not None and not reusable:
        raise unauthorized(USED)


def check_standing(bearer: Bearer) -> None:
    """Raises `Violation` if the key was revoked, or its account may open no session."""
    account = bearer.account
    if bearer.key is not None and bearer.key.revoked_at is not None:
        raise unauthorized(REVOKED)
    if not account.enabled:
        raise unauthorized(DISABLED)
    if account.balance_ms is not None and account.balance_ms <= 0:
        raise unauthorized(NO_BALANCE)
