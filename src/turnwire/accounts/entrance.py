"""Clients that ask for a session, admitted together: one transaction for all that wait.

They are judged in the order in which they came. One that is refused, for whatever reason, leaves
nothing behind, and those after it are judged as if it had not come. A token is used up here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnwire.accounts.admission import Funds, Grant
from turnwire.accounts.billing import OpenSessions
from turnwire.accounts.credentials import (
    Bearer,
    Bearers,
    bearers_of,
    check_standing,
    check_token,
)
from turnwire.accounts.database import Database
from turnwire.accounts.leases import open_by_account
from turnwire.accounts.quotas import Quota, is_counted
from turnwire.accounts.tables import Account, ApiKey, Entry
from turnwire.wire.limits import LONGEST_SESSION_SECONDS

ADMITTED_AT_ONCE = 100
"""How many are admitted in one transaction: others wait for their accounts meanwhile."""


@dataclass(frozen=True, slots=True)
class Applicant:
    """Whoever asks for a session; see `Registry.begin`."""

    session: str
    credential: str | None
    check: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Admitted:
    session: str
    bearer: Bearer
    reserved_ms: int
    funds: Funds | None

    def grant(self) -> Grant:
        bearer, longest = self.bearer, LONGEST_SESSION_SECONDS
        if bearer.token is not None:
            longest = min(longest, bearer.token.max_seconds)
        return Grant(longest, self.funds, bearer.account.name, bearer.key_id)


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where sessions of one process are admitted."""

    node: str
    process: str
    reusable_tokens: bool

    async def admit(
        self, database: Database, applicants: Sequence[Applicant]
    ) -> list[Grant | Exception]:
        """What each may have, or why it may have none."""
        async with database.begin() as db:
            bearers = await bearers_of(db, [each.credential for each in applicants])
            now = await database.now(db)
            quotas = await _quotas(db, bearers.accounts, now)
            outcomes = [self._judge(each, bearers, quotas, now) for each in applicants]
            admitted = [each for each in outcomes if isinstance(each, _Admitted)]
            if admitted:
                await self._enter(db, admitted, now)
        return [each.grant() if isinstance(each, _Admitted) else each for each in outcomes]

    def _judge(
        self, applicant: Applicant, bearers: Bearers, quotas: dict[int, Quota], now: float
    ) -> _Admitted | Exception:
        try:
            bearer = bearers.of(applicant.credential)
            quota = quotas[bearer.account.id]
            if bearer.token is not None:
                check_token(bearer.token, reusable=self.reusable_tokens, now=now)
            check_standing(bearer)
            quota.check()
            applicant.check()
        except Exception as error:
            return error
        if bearer.token is not None:
            bearer.token.used_at = now
        return _Admitted(applicant.session, bearer, *quota.take())

    async def _enter(self, db: AsyncSession, admitted: Sequence[_Admitted], now: float) -> None:
        keys = {each.bearer.key_id for each in admitted}
        await db.execute(
            update(ApiKey)
            .execution_options(synchronize_session=False)
            .where(ApiKey.id.in_(keys - {None}))
            .values(last_used_at=now)
        )
        await db.execute(insert(Entry), [self._entry(each, now) for each in admitted])

    def _entry(self, admitted: _Admitted, now: float) -> dict[str, object]:
        return {
            "id": admitted.session,
            "account_id": admitted.bearer.account.id,
            "key_id": admitted.bearer.key_id,
            "token_id": admitted.bearer.token_id,
            "node": self.node,
            "process": self.process,
            "begun_at": now,
            "renewed_at": now,
            "reserved_ms": admitted.reserved_ms,
        }


async def _quotas(
    db: AsyncSession, accounts: Mapping[int, Account], now: float
) -> dict[int, Quota]:
    counted = [id for id, account in accounts.items() if is_counted(account)]
    open_ = await open_by_account(db, counted, now) if counted else {}
    return {
        id: Quota(account, open_.get(id, OpenSessions()), now) for id, account in accounts.items()
    }
