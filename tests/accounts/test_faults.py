"""Databases that fail while they are open."""

import asyncio
import os
import shutil
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.accounts.conftest import TIME
from turnwire.accounts.admission import Usage
from turnwire.accounts.database import Database, sqlite_url
from turnwire.accounts.errors import DatabaseFailed, DatabaseUnusable
from turnwire.accounts.failures import cause
from turnwire.accounts.store import Store


async def opened(folder: Path) -> tuple[Store, str | None]:
    store = await Store.open(sqlite_url(folder), node="here", clock=TIME)
    return store, await store.management.create_first_account()


async def test_a_deleted_file_is_noticed_and_heals_when_it_comes_back(tmp_path: Path) -> None:
    store, key = await opened(tmp_path)
    file, aside = tmp_path / "turnwire.db", tmp_path / "aside"
    await store.begin("before", key)
    file.rename(aside)
    for _ in range(2):
        with pytest.raises(DatabaseFailed, match=r"^The database .*: its file was deleted\.$"):
            await store.renew({"before": Usage(session_ms=5000)})
        with pytest.raises(DatabaseFailed):
            await store.begin("meanwhile", key)
    assert not file.exists()
    aside.rename(file)
    assert await store.renew({"before": Usage(session_ms=10_000)}) == {"before": None}
    await store.close()


async def test_a_file_that_was_replaced_by_a_copy(tmp_path: Path) -> None:
    store, key = await opened(tmp_path)
    file = tmp_path / "turnwire.db"
    await store.close()
    shutil.copy(file, tmp_path / "copy")
    store, _ = await opened(tmp_path)
    await store.begin("lost", key)
    os.replace(tmp_path / "copy", file)  # noqa: PTH105
    await store.begin("kept", key)
    assert await store.renew({"lost": Usage(), "kept": Usage()}) == {"kept": None}
    await store.close()
    store, _ = await opened(tmp_path)
    assert (await store.management.session("kept")).node == "here"
    await store.close()


async def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    store, _ = await opened(tmp_path)
    async with store.database.begin() as db:
        # SQLite's own limit: it fails in the same way as a disk does.
        await db.execute(text("PRAGMA max_page_count = 1"))
    with pytest.raises(DatabaseFailed, match=r"the disk is full \(SQLITE_FULL\)\.$"):
        for number in range(1000):
            await store.management.create_account(f"account-{number}")
    await store.close()


async def test_waiting_for_another_process_can_be_interrupted(tmp_path: Path) -> None:
    store, key = await opened(tmp_path)
    with sqlite3.connect(tmp_path / "turnwire.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(store.management.accounts())
        opening = asyncio.create_task(Store.open(sqlite_url(tmp_path), node="there"))
        await asyncio.sleep(0)
        for task in (waiting, opening):
            task.cancel()
        began = time.monotonic()
        await asyncio.gather(waiting, opening, return_exceptions=True)
        assert time.monotonic() - began < 15  # of the 30 s that it waits
        other.execute("ROLLBACK")
    other.close()
    await store.begin("one", key)
    await store.close()


async def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "turnwire.db").mkdir()
    with pytest.raises(DatabaseUnusable, match=r"cannot be used: Is a directory\.$"):
        await Store.open(sqlite_url(tmp_path), node="here")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("SQLITE_BUSY", "another process has kept it locked"),
        ("SQLITE_IOERR_SHMMAP", "a network share"),
        ("SQLITE_READONLY_DBMOVED", "it may only be read"),
    ],
)
def test_what_a_driver_says_is_told_in_words(name: str, sentence: str) -> None:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorname = name
    assert sentence in cause(error)
    assert cause(error).endswith(f"({name})")


async def test_a_server_that_vanishes_keeps_no_locks(postgresql_url: str) -> None:
    database = await Database.open(postgresql_url)
    with pytest.raises(DatabaseFailed):
        async with database.begin() as db:
            await db.execute(text("SET LOCAL idle_in_transaction_session_timeout = '1ms'"))
            while True:
                await asyncio.sleep(0.01)
                await db.execute(text("SELECT 1"))
    async with database.begin() as db:
        assert await db.scalar(text("SHOW idle_in_transaction_session_timeout")) == "15s"
    await database.close()


def test_only_the_first_line_is_told() -> None:
    assert cause(OSError("no route\nto the host.\n")) == "no route"
    assert cause(TimeoutError()) == "it did not answer in time"
