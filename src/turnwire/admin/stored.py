"""What operators do, done in a database that this process has open."""

from datetime import UTC, datetime
from typing import Any, cast

from turnwire.accounts import ledger, management, tables
from turnwire.accounts.database import Database, carried_through
from turnwire.accounts.grouping import DAY_SECONDS, OPEN, By
from turnwire.accounts.management import Management
from turnwire.admin import views
from turnwire.wire.closures import CLOSURES

CODES = {row.name: row.code for row in CLOSURES}


class StoredAdministration:
    """An `Administration`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._management = Management(database)

    @carried_through
    async def accounts(self) -> list[views.Account]:
        open_ = await self._management.open_sessions()
        return [
            _account(account, open_.get(account.name, 0))
            for account in await self._management.accounts()
        ]

    @carried_through
    async def account(self, name: str) -> views.Account:
        return await self._account_of(name)

    @carried_through
    async def create_account(self, new: views.NewAccount) -> views.Account:
        account = await self._management.create_account(new.name, **_terms(new))
        return _account(account, 0)

    @carried_through
    async def update_account(self, name: str, terms: views.Terms) -> views.Account:
        await self._management.update_account(name, **_terms(terms))
        return await self._account_of(name)

    @carried_through
    async def delete_account(self, name: str) -> None:
        await self._management.delete_account(name)

    @carried_through
    async def top_up(self, account: str, new: views.NewTopUp) -> views.TopUp:
        ms = round(1000 * new.seconds)
        return _top_up(await self._management.top_up(account, ms, new.reason))

    @carried_through
    async def top_ups(self, account: str) -> list[views.TopUp]:
        return [_top_up(each) for each in await self._management.top_ups(account)]

    @carried_through
    async def keys(self, account: str | None = None) -> list[views.Key]:
        return [views.Key(**_key(key)) for key in await self._management.keys(account)]

    @carried_through
    async def create_key(self, account: str, name: str) -> views.CreatedKey:
        secret = await self._management.create_key(account, name=name)
        return views.CreatedKey(**_key(await self._management.key(secret)), key=secret)

    @carried_through
    async def take_back_key(self, key: views.CreatedKey) -> None:
        await self._management.take_back_key(key.key)

    @carried_through
    async def revoke_key(self, id: int) -> views.Key:
        return views.Key(**_key(await self._management.revoke_key(id)))

    @carried_through
    async def create_token(self, account: str, new: views.NewToken) -> views.Token:
        token = await self._management.create_token(
            account,
            expires_in=new.expires_in_seconds,
            max_seconds=new.max_session_duration_seconds,
        )
        return views.Token(token=token, expires_in_seconds=new.expires_in_seconds)

    @carried_through
    async def sessions(self, which: views.SessionFilter) -> views.Sessions:
        entries = await self._management.sessions(
            account=which.account,
            since=which.since,
            until=which.until,
            only_open=which.open,
            closures=_closures(which),
            after=which.after,
            limit=which.limit + 1,
        )
        listed = [_session(entry) for entry in entries[: which.limit]]
        more = len(entries) > which.limit
        return views.Sessions(items=listed, next=listed[-1].id if more else None)

    @carried_through
    async def session(self, id: str) -> views.Session:
        return _session(await self._management.session(id))

    @carried_through
    async def end_session(self, id: str) -> None:
        await self._management.end_session(id)

    @carried_through
    async def usage(self, which: views.UsageFilter) -> list[views.Usage]:
        rows = await self._management.usage(
            list(dict.fromkeys(which.by)),
            account=which.account,
            since=which.since,
            until=which.until,
        )
        keys = {key for row in rows if (key := row.group.get(By.KEY)) is not None}
        names = await self._management.keys_named(keys) if keys else {}
        return [_usage(row, names) for row in rows]

    @carried_through
    async def closures(self, step: int, since: float, until: float) -> views.Closures:
        """How sessions ended that did in that time, step by step."""
        counts: dict[float, dict[str, int]] = {}
        for at, closure, count in await self._management.endings(step, since, until):
            counts.setdefault(float(at * step), {})[closure] = count
        items = [views.Endings(at=at, counts=each) for at, each in counts.items()]
        return views.Closures(step=step, items=items)

    async def _account_of(self, name: str) -> views.Account:
        account = await self._management.account(name)
        open_ = await self._management.open_sessions(account.name)
        return _account(account, open_.get(account.name, 0))


def _terms(given: views.Terms) -> management.Terms:
    terms: dict[str, Any] = given.model_dump(exclude_unset=True, exclude={"name"})
    if "balance_seconds" in terms:
        seconds = terms.pop("balance_seconds")
        terms["balance_ms"] = None if seconds is None else round(1000 * seconds)
    return cast(management.Terms, terms)


def _account(account: tables.Account, open_sessions: int) -> views.Account:
    return views.Account(
        name=account.name,
        enabled=account.enabled,
        balance_seconds=None if account.balance_ms is None else account.balance_ms / 1000,
        max_sessions=account.max_sessions,
        sessions_per_minute=account.sessions_per_minute,
        created_at=account.created_at,
        open_sessions=open_sessions,
    )


def _top_up(row: tables.TopUp) -> views.TopUp:
    return views.TopUp(
        at=row.at,
        seconds=row.ms / 1000,
        reason=row.reason,
        balance_after=row.balance_ms / 1000,
    )


def _key(key: tables.ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "account": key.account.name,
        "name": key.name,
        "start": key.start,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }


def _session(entry: tables.Entry) -> views.Session:
    return views.Session(
        id=entry.id,
        account=entry.account.name,
        key_id=entry.key_id,
        token_id=entry.token_id,
        node=entry.node,
        begun_at=entry.begun_at,
        renewed_at=entry.renewed_at,
        ended_at=entry.ended_at,
        closure=entry.closure,
        code=CODES.get(entry.closure or ""),
        audio_seconds=entry.audio_ms / 1000,
        session_seconds=entry.session_ms / 1000,
        billed_seconds=entry.billed_ms / 1000,
    )


def _closures(which: views.SessionFilter) -> set[str] | None:
    """The names of the rows that are asked for; None for any."""
    if which.closure is None and which.code is None:
        return None
    named = {name for name, code in CODES.items() if which.code in (None, code)}
    return named if which.closure is None else named & {which.closure}


def _usage(row: ledger.UsageRow, key_names: dict[int, str]) -> views.Usage:
    group: dict[str, Any] = {}
    for by, value in row.group.items():
        if by == By.DAY:
            group["day"] = f"{datetime.fromtimestamp(value * DAY_SECONDS, UTC):%Y-%m-%d}"
        elif by == By.KEY:
            group |= {"key": value, "key_name": key_names.get(value)}
        else:
            group[by.value] = OPEN if value is None else value
    return views.Usage(
        **group,
        sessions=row.sessions,
        audio_seconds=row.audio_ms / 1000,
        session_seconds=row.session_ms / 1000,
        billed_seconds=row.billed_ms / 1000,
    )
