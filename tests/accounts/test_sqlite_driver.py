"""How often SQLite's thread is asked: each time, whoever asked waits for a turn of the loop."""

from collections.abc import Callable
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import event, text

from turnwire.accounts.admission import Usage
from turnwire.accounts.database import IN_MEMORY
from turnwire.accounts.store import Store
from turnwire.wire.closures import SESSION_ENDED


async def test_a_statement_is_one_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    trips: list[Callable[..., object]] = []
    statements: list[str] = []
    there = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, do: Any, *args: Any, **kwargs: Any) -> Any:
        trips.append(do)
        return await there(self, do, *args, **kwargs)  # type: ignore[no-untyped-call]

    store = await Store.open(IN_MEMORY, node="here")
    await store.management.create_account("here", sessions_per_minute=None)
    key = await store.management.create_key("here", name="here")
    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    async with store.database.begin() as db:
        engine = (await db.connection()).engine.sync_engine
    event.listen(
        engine, "before_cursor_execute", lambda *execution: statements.append(execution[2])
    )
    trips.clear()

    await store.begin("first", key)
    assert len(trips) == len(statements) + 1, "the last one is the commit"
    trips.clear()
    statements.clear()
    await store.end("first", Usage(), SESSION_ENDED.fill())
    assert len(trips) == len(statements) + 1
    await store.close()


async def test_what_a_statement_says_is_there_afterwards() -> None:
    store = await Store.open(IN_MEMORY, node="here")
    async with store.database.begin() as db:
        await db.execute(text("CREATE TABLE words (word TEXT)"))
        added = await db.execute(text("INSERT INTO words VALUES (:word)"), [{"word": "one"}] * 3)
        assert added.rowcount == 3  # type: ignore[attr-defined]
        await db.execute(text("INSERT INTO words VALUES ('two')"))
    with pytest.raises(ZeroDivisionError):
        async with store.database.begin() as db:
            await db.execute(text("DELETE FROM words"))
            raise ZeroDivisionError
    async with store.database.begin() as db:
        found = await db.execute(text("SELECT word, count(*) AS times FROM words GROUP BY word"))
        assert [(row.word, row.times) for row in found] == [("one", 3), ("two", 1)]
    await store.close()
