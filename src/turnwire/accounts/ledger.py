"""What an operator reads in the ledger of sessions, and how one is ended by hand."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from sqlalchemy import (
    ColumnElement,
    Integer,
    func,
    literal,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import contains_eager
from sqlalchemy.sql.functions import FunctionElement

from turnwire.accounts.database import Database
from turnwire.accounts.errors import NotFound, NotNow
from turnwire.accounts.grouping import DAY_SECONDS, OPEN, By
from turnwire.accounts.leases import alive
from turnwire.accounts.tables import Account, ApiKey, Entry


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What some sessions came to."""

    group: dict[By, Any]
    """What they have in common. A day counts from 1970; a key is None for sessions without one,
    a closure for those that are open."""
    sessions: int
    audio_ms: int
    session_ms: int
    billed_ms: int


class Span(TypedDict, total=False):
    """Which sessions, by when they began and by their account; None is any."""

    account: str | None
    since: float | None
    until: float | None


class _Step(FunctionElement[int]):
    """How many whole steps a moment is from 1970: `_Step(moment, seconds)`."""

    type = Integer()
    inherit_cache = True


@compiles(_Step, "postgresql")
def _step_of_postgresql(element: _Step, compiler: Any, **options: Any) -> str:
    moment, seconds = element.clauses
    return f"CAST(floor({compiler.process(moment)} / {compiler.process(seconds)}) AS INTEGER)"


@compiles(_Step, "sqlite")
def _step_of_sqlite(element: _Step, compiler: Any, **options: Any) -> str:
    # This cast drops the fraction; not every build of SQLite has floor().
    moment, seconds = element.clauses
    return f"CAST({compiler.process(moment)} / {compiler.process(seconds)} AS INTEGER)"


def _step(moment: Any, seconds: int) -> ColumnElement[int]:
    # Written out: PostgreSQL takes two parameters for two expressions, though they are equal.
    return _Step(moment, literal_column(str(seconds)))


_GROUPS: dict[By, ColumnElement[Any]] = {
    By.DAY: _step(Entry.begun_at, DAY_SECONDS),
    By.ACCOUNT: Account.name.expression,
    By.KEY: Entry.key_id.expression,
    By.CLOSURE: Entry.closure.expression,
}


class Ledger:
    """What names an account or a session that is not there raises `NotFound`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sessions(
        self,
        *,
        limit: int,
        only_open: bool = False,
        closures: Collection[str] | None = None,
        after: str | None = None,
        **span: Unpack[Span],
    ) -> Sequence[Entry]:
        """The newest sessions, newest first, with their accounts.

        `closures` are the names of rows, None for any. `after` is the id of a session: only those
        that come after it in this order.
        """
        query = select(Entry).join(Entry.account).options(contains_eager(Entry.account))
        if only_open:
            query = query.where(Entry.ended_at.is_(None))
        if closures is not None:
            query = query.where(Entry.closure.in_(closures))
        async with self._database.begin() as db:
            query = query.where(*await _within(db, span))
            if after is not None:
                last = await _entry(db, after)
                place = tuple_(Entry.begun_at, Entry.id)
                query = query.where(place < tuple_(literal(last.begun_at), literal(last.id)))
            query = query.order_by(Entry.begun_at.desc(), Entry.id.desc()).limit(limit)
            return (await db.scalars(query)).all()

    async def session(self, id: str) -> Entry:
        """One session, with its account."""
        async with self._database.begin() as db:
            return await _entry(db, id)

    async def end_session(self, id: str) -> None:
        """Have an open session end with its next renewal. Raises `NotNow` if it has ended."""
        async with self._database.begin() as db:
            # Locked, or a renewal that read the entry before would have the last word.
            entry = await db.get(Entry, id, with_for_update=True)
            if entry is None:
                raise NotFound(f"There is no session {id}.")
            if entry.ended_at is not None:
                raise NotNow(f"The session {id} has ended already.")
            entry.end_requested_at = await self._database.now(db)

    async def usage(self, by: Sequence[By], **span: Unpack[Span]) -> list[UsageRow]:
        """What sessions came to, added up by these, in their order."""
        groups = [_GROUPS[each] for each in by]
        sums = (func.sum(each) for each in (Entry.audio_ms, Entry.session_ms, Entry.billed_ms))
        query = (
            select(*groups, func.count(), *sums)
            .join(Entry.account)
            .group_by(*groups)
            .order_by(*(each.nulls_last() for each in groups))
        )
        async with self._database.begin() as db:
            rows = (await db.execute(query.where(*await _within(db, span)))).all()
        # PostgreSQL adds integers up to decimals.
        return [
            UsageRow(dict(zip(by, row, strict=False)), *map(int, row[len(by) :])) for row in rows
        ]

    async def endings(self, step: int, since: float, until: float) -> list[tuple[int, str, int]]:
        """How many sessions ended how: steps from 1970, names of rows, numbers of sessions."""
        at = _step(Entry.ended_at, step)
        query = (
            select(at, Entry.closure, func.count())
            .where(
                Entry.ended_at >= since,
                Entry.ended_at < until,
            )
            .group_by(at, Entry.closure)
            .order_by(at, Entry.closure)
        )
        async with self._database.begin() as db:
            return [(at, closure or OPEN, count) for at, closure, count in await db.execute(query)]

    async def open_sessions(self, account: str | None = None) -> dict[str, int]:
        """How many sessions are open of each account that has any."""
        async with self._database.begin() as db:
            query = (
                select(Account.name, func.count())
                .join(Entry.account)
                .where(alive(await self._database.now(db)))
                .group_by(Account.name)
            )
            if account is not None:
                query = query.where(Account.name == account)
            return {row[0]: row[1] for row in await db.execute(query)}

    async def keys_named(self, ids: Collection[int]) -> dict[int, str]:
        """The names of these keys."""
        async with self._database.begin() as db:
            rows = await db.execute(select(ApiKey.id, ApiKey.name).where(ApiKey.id.in_(ids)))
            return {row[0]: row[1] for row in rows}


async def _within(db: AsyncSession, span: Span) -> list[ColumnElement[bool]]:
    """Raises `NotFound` if there never was the account; one that was deleted is in the ledger."""
    conditions: list[ColumnElement[bool]] = []
    if (name := span.get("account")) is not None:
        account = await db.scalar(select(Account.id).where(Account.name == name))
        if account is None:
            raise NotFound(f"There is no account named {name}.")
        # By its id, which the index begins with.
        conditions.append(Entry.account_id == account)
    if (since := span.get("since")) is not None:
        conditions.append(Entry.begun_at >= since)
    if (until := span.get("until")) is not None:
        conditions.append(Entry.begun_at < until)
    return conditions


async def _entry(db: AsyncSession, id: str) -> Entry:
    query = select(Entry).join(Entry.account).options(contains_eager(Entry.account))
    entry = await db.scalar(query.where(Entry.id == id))
    if entry is None:
        raise NotFound(f"There is no session {id}.")
    return entry
