"""What an operator reads in the ledger and does to accounts, on every database."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import event, text

from tests.accounts.conftest import NOW, TIME
from turnwire.accounts.admin_keys import NOTED_SECONDS, AdminKeys
from turnwire.accounts.admission import Usage
from turnwire.accounts.credentials import ENDED, access_ended
from turnwire.accounts.errors import BadName, NameTaken, NotFound, NotNow
from turnwire.accounts.grouping import DAY_SECONDS, By
from turnwire.accounts.presence import FORGOTTEN_SECONDS, Presence
from turnwire.accounts.store import Store
from turnwire.wire.closures import CLIENT_GONE, SESSION_ENDED


async def test_sessions_are_found_and_added_up(store: Store, key: str) -> None:
    manage = store.management
    day = int(NOW // DAY_SECONDS)
    for number, closure in enumerate((SESSION_ENDED, CLIENT_GONE, SESSION_ENDED)):
        TIME.now = DAY_SECONDS * (day + number) - 0.25
        await store.begin(f"s{number}", key)
        await store.end(f"s{number}", Usage(audio_ms=1000, session_ms=500), closure.fill())

    async def found(**which: object) -> str:
        entries = await manage.sessions(limit=9, **which)  # type: ignore[arg-type]
        return "".join(entry.id[1:] for entry in entries)

    assert await found() == "210"
    assert await found(after="s1") == "0"
    assert await found(closures={"session_ended"}) == "20"
    assert await found(closures=()) == ""
    assert await found(since=DAY_SECONDS * day, until=DAY_SECONDS * (day + 1) - 0.1) == "1"
    with pytest.raises(NotFound):
        await found(after="s9")
    with pytest.raises(NotFound):
        await found(account="nobody")

    rows = await manage.usage([By.DAY, By.KEY])
    assert [(row.group[By.DAY], row.group[By.KEY], row.billed_ms) for row in rows] == [
        (day - 1, 1, 1000),
        (day, 1, 1000),
        (day + 1, 1, 1000),
    ]
    [row] = await manage.usage([By.ACCOUNT])
    assert (row.sessions, row.audio_ms, row.session_ms) == (3, 3000, 1500)
    assert await manage.endings(DAY_SECONDS, 0, NOW + 9 * DAY_SECONDS) == [
        (day - 1, "session_ended", 1),
        (day, "client_gone", 1),
        (day + 1, "session_ended", 1),
    ]


async def test_the_ledger_of_one_account_is_not_looked_for_among_all(store: Store) -> None:
    for name in ("busy", "quiet"):
        await store.management.create_account(name)
    numbers = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 20000)"
    fields = "id, account_id, node, begun_at, renewed_at, audio_ms, session_ms, billed_ms"
    asked: list[tuple[str, Any]] = []

    async with store.database.begin() as db:
        await db.execute(
            text(
                f"{numbers} INSERT INTO turnwire_sessions ({fields}) SELECT 's' || n, "
                f"CASE WHEN n < 100 THEN 2 ELSE 1 END, 'n', {NOW} + n, {NOW} + n, 1, 1, 1 FROM s"
            )
        )
        await db.execute(text("ANALYZE"))
        connection = await db.connection()

        def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
            asked.append((statement, parameters))

        engine = connection.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    entries = await store.management.sessions(limit=2, account="quiet")
    assert [entry.id for entry in entries] == ["s99", "s98"]
    listed = asked[-1]
    await store.management.usage([By.CLOSURE], account="quiet", since=NOW + 50)
    used = asked[-1]
    event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    for statement, parameters in (listed, used):
        async with store.database.begin() as db:
            connection = await db.connection()
            plan = (await connection.exec_driver_sql(explain + statement, parameters)).all()
        assert "ix_turnwire_sessions_account_id_begun_at" in str(plan), plan


async def test_a_session_ended_by_hand_learns_of_it_when_it_renews(store: Store, key: str) -> None:
    await store.begin("a", key)
    await store.begin("b", key)
    await store.management.end_session("a")
    going_on = {"a": Usage(), "b": Usage()}
    assert await store.renew(going_on) == {"a": access_ended(ENDED), "b": None}
    await store.end("a", Usage(), access_ended(ENDED))
    with pytest.raises(NotNow, match="ended already"):
        await store.management.end_session("a")
    with pytest.raises(NotFound):
        await store.management.end_session("c")


async def test_top_ups_add_up(store: Store, key: str) -> None:
    manage = store.management
    with pytest.raises(NotNow, match="has no balance"):
        await manage.top_up("default", 1000, "paid")
    await manage.update_account("default", balance_ms=0)
    await asyncio.gather(*(manage.top_up("default", 1000, f"{n}") for n in range(5)))
    await manage.top_up("default", -500, "too much")
    assert (await manage.account("default")).balance_ms == 4500
    listed = await manage.top_ups("default")
    assert [each.balance_ms for each in listed] == [4500, 5000, 4000, 3000, 2000, 1000]
    with pytest.raises(BadName):
        await manage.top_up("default", 1, "")
    with pytest.raises(NotNow, match="larger than can be kept"):
        await manage.top_up("default", 2**62, "much")


async def test_a_deleted_account_is_in_the_ledger_only(store: Store, key: str) -> None:
    manage = store.management
    await store.begin("a", key)
    with pytest.raises(NotNow, match="has open sessions"):
        await manage.delete_account("default")
    await store.end("a", Usage(), SESSION_ENDED.fill())
    await manage.delete_account("default")
    assert await manage.accounts() == []
    with pytest.raises(NotFound):
        await manage.create_key("default", name="")
    with pytest.raises(NameTaken, match="was deleted"):
        await manage.create_account("default")
    assert await manage.create_first_account() is None
    assert [entry.id for entry in await manage.sessions(account="default", limit=9)] == ["a"]
    [revoked] = await manage.keys()
    assert revoked.revoked_at == NOW


async def test_admin_keys(store: Store, key: str) -> None:
    keys = AdminKeys(store.database)
    kept, secret = await keys.create("ops")
    assert await keys.identify(secret) == kept.id
    assert await keys.identify(key) is None
    TIME.now = NOW + NOTED_SECONDS - 1
    await keys.identify(secret)
    assert (await keys.all())[0].last_used_at == NOW
    TIME.now = NOW + NOTED_SECONDS
    await keys.identify(secret)
    assert (await keys.all())[0].last_used_at == TIME.now
    await keys.revoke(kept.id)
    assert await keys.identify(secret) is None
    assert not await keys.valid(kept.id)


async def test_servers_that_say_nothing_any_more_are_forgotten(store: Store) -> None:
    presence = Presence(store.database)

    async def say(process: str, sessions: int) -> None:
        await presence.note(
            process,
            name="n",
            version="1",
            sessions=sessions,
            max_sessions=None,
            quality="full",
            draining=False,
        )

    await say("a", 1)
    await say("b", 1)
    TIME.now = NOW + FORGOTTEN_SECONDS
    await say("b", 2)
    assert [(node.process, node.sessions) for node in await presence.nodes()] == [("b", 2)]
    await presence.leave("b")
    assert await presence.nodes() == []
