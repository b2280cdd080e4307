"""How often SQLite's thread is asked: each time, whoever asked waits for a turn of the loop.

And what becomes of what it does for somebody who left, or cannot do.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from tests.support import PATIENCE
from turnwire.accounts import sqlite_driver
from turnwire.accounts.admission import Usage
from turnwire.accounts.database import IN_MEMORY, Database, sqlite_url
from turnwire.accounts.errors import DatabaseFailed
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


async def test_a_database_that_was_opened_for_somebody_who_left_is_closed() -> None:
    may_open, closed = threading.Event(), threading.Event()

    class Slow(sqlite3.Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            may_open.wait(PATIENCE)
            super().__init__(*args, **kwargs)

        def close(self) -> None:
            super().close()
            closed.set()

    connection = sqlite_driver.connect(":memory:", factory=Slow)
    opening = asyncio.ensure_future(connection)
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    may_open.set()
    assert await asyncio.to_thread(closed.wait, PATIENCE)
    await asyncio.to_thread(connection._thread.join, PATIENCE)
    assert not connection._thread.is_alive()


async def test_a_statement_that_fails_leaves_the_database_as_it_was() -> None:
    database = await Database.open(IN_MEMORY)
    async with database.begin() as db:
        await db.execute(text("CREATE TABLE words (word TEXT UNIQUE)"))
        await db.execute(text("INSERT INTO words VALUES ('one')"))
    with pytest.raises(DatabaseFailed, match="no such table: nowhere"):
        async with database.begin() as db:
            await db.execute(text("DELETE FROM words"))
            await db.execute(text("SELECT * FROM nowhere"))
    with pytest.raises(IntegrityError):
        async with database.begin() as db:
            await db.execute(text("INSERT INTO words VALUES (:word)"), [{"word": "one"}] * 2)
    async with database.begin() as db:
        assert await db.scalar(text("SELECT word FROM words")) == "one"
    await database.close()


class Held:
    """A function of SQL that keeps the database's thread until it may go on."""

    def __init__(self) -> None:
        self._holds, self._goes_on = threading.Event(), threading.Event()

    def __call__(self) -> int:
        self._holds.set()
        return self._goes_on.wait(PATIENCE)

    async def holds(self) -> None:
        assert await asyncio.to_thread(self._holds.wait, PATIENCE)

    def go_on(self) -> None:
        self._goes_on.set()


async def test_what_comes_after_a_statement_whose_caller_left_gets_its_own_rows() -> None:
    held = Held()
    connection = sqlite_driver.connect(":memory:")
    await connection
    await connection.create_function("hold", 0, held)
    first = asyncio.create_task(sqlite_driver.Cursor(connection).execute("SELECT hold()"))
    await held.holds()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = asyncio.create_task(sqlite_driver.Cursor(connection).execute("SELECT 'two'"))
    await asyncio.sleep(0)
    held.go_on()
    assert await (await second).fetchall() == [("two",)]
    await connection.close()


async def test_a_transaction_whose_caller_left_amid_a_statement_is_rolled_back(
    tmp_path: Path,
) -> None:
    held = Held()
    database = await Database.open(sqlite_url(tmp_path / "accounts.db"))
    async with database.begin() as db:
        await db.execute(text("CREATE TABLE words (word TEXT)"))

    async def write() -> None:
        async with database.begin() as db:
            connection = await (await db.connection()).get_raw_connection()
            driver = connection.driver_connection
            assert isinstance(driver, sqlite_driver.Connection)
            await driver.create_function("hold", 0, held)
            await db.execute(text("INSERT INTO words VALUES ('lost')"))
            await db.execute(text("INSERT INTO words VALUES (hold())"))

    writing = asyncio.create_task(write())
    await held.holds()
    writing.cancel()
    held.go_on()
    with pytest.raises(asyncio.CancelledError):
        await writing
    async with database.begin() as db:
        assert await db.scalar(text("SELECT count(*) FROM words")) == 0
    await database.close()
