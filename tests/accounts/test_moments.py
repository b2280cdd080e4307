"""A clock that was wrong does no harm once it is right, whatever moment it stored."""

import pytest
from sqlalchemy import Double, Table, delete, update

from tests.accounts.conftest import NOW, TIME
from turnwire.accounts.admission import LEASE_SECONDS, RENEWAL_SECONDS, Usage
from turnwire.accounts.credentials import EXPIRED
from turnwire.accounts.store import Store
from turnwire.accounts.tables import Base, Entry
from turnwire.wire.closure import Violation
from turnwire.wire.closures import SESSION_ENDED

DAY = 24 * 60 * 60.0

COLUMNS = [
    (table, column.name, 1.0 if isinstance(column.type, Double) else 60.0)
    for table in Base.metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, Double) or column.name == "minute"
]
"""Every column that holds a moment, and how many seconds its unit has."""


@pytest.mark.parametrize("days", [400, -400])
@pytest.mark.parametrize(
    ("table", "column", "unit"), COLUMNS, ids=[f"{table}.{column}" for table, column, _ in COLUMNS]
)
async def test_a_stored_moment_that_is_wrong(
    memory_store: Store, table: Table, column: str, unit: float, days: int
) -> None:
    store, manage = memory_store, memory_store.management
    key = await manage.create_first_account()
    assert key is not None
    await manage.update_account("default", sessions_per_minute=3, max_sessions=2)
    second = await manage.create_key("default", name="second")
    await manage.revoke_key(2)
    token = await store.issue_token(key, expires_in=1, max_seconds=60)
    await store.begin("dead", key)
    await store.begin("open", key)
    with pytest.raises(Violation):
        await store.begin("crowded", key)
    async with store.database.begin() as db:
        shifted = table.c[column] + days * DAY / unit
        await db.execute(update(table).values({column: shifted}))

    # The server of one session goes on; that of the other died.
    TIME.now = NOW + RENEWAL_SECONDS
    assert await store.renew({"open": Usage(session_ms=5000)}) == {"open": None}
    TIME.now = NOW + LEASE_SECONDS
    await store.close_lost()
    kept = await manage.sessions(account=None, only_open=False, limit=9)
    assert {entry.id: entry.closure for entry in kept} == {"dead": "session_lost", "open": None}
    # Its slot is free, and the minute has room; a minute that began long ago does not count.
    await store.begin("next", key)
    with pytest.raises(Violation, match="Too many concurrent sessions"):
        await store.begin("crowded", key)
    with pytest.raises(Violation, match=EXPIRED):
        await store.begin("late", token)
    with pytest.raises(Violation, match="revoked"):
        await store.begin("revoked", second)
    await store.end("open", Usage(session_ms=15_000), SESSION_ENDED.fill())
    assert (await manage.session("open")).ended_at == TIME.now
    assert (await manage.session("dead")).ended_at is not None


async def test_a_clock_that_was_ahead(store: Store, key: str) -> None:
    """All that one session leaves behind, 400 days ahead, over a limit and a restart."""
    TIME.now = NOW + 400 * DAY
    await store.management.update_account("default", max_sessions=1)
    token = await store.issue_token(key, expires_in=1, max_seconds=60)
    await store.begin("ahead", key)
    TIME.now = NOW
    for _ in range(5):
        await store.begin("now", key)
        await store.end("now", Usage(), SESSION_ENDED.fill())
        async with store.database.begin() as db:
            await db.execute(delete(Entry).where(Entry.id == "now"))
    with pytest.raises(Violation, match=EXPIRED):
        await store.begin("late", token)


async def test_the_hosts_clocks_do_not_matter(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two servers share a database; the clock of one's host is 40 s ahead."""
    here = await Store.open(postgresql_url, node="here")
    key = await here.management.create_first_account()
    await here.management.update_account("default", max_sessions=1)
    await here.begin("one", key)
    monkeypatch.setattr("time.time", lambda: 4e9)
    there = await Store.open(postgresql_url, node="there")
    with pytest.raises(Violation, match="Too many concurrent sessions"):
        await there.begin("two", key)
    assert await there.close_lost() == 0
    await here.close()
    await there.close()
