import asyncio
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from tests.accounts.conftest import NOW, TIME
from turnwire.accounts.admission import LEASE_SECONDS, Usage
from turnwire.accounts.database import Database, sqlite_url
from turnwire.accounts.errors import DatabaseUnusable
from turnwire.accounts.grouping import By
from turnwire.accounts.migrating import VERSION_TABLE
from turnwire.accounts.store import Store
from turnwire.accounts.tables import Base, Entry
from turnwire.wire.closures import SESSION_ENDED


async def test_migrations_lead_to_the_tables_of_today(lasting_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return list(compare_metadata(context, Base.metadata))

    database = await Database.open(lasting_url)
    async with database.begin() as db:
        assert await (await db.connection()).run_sync(differences) == []
    await database.close()


async def test_servers_that_start_together(lasting_url: str) -> None:
    stores = await asyncio.gather(
        *(Store.open(lasting_url, node=node, clock=TIME) for node in ("a", "b", "c"))
    )
    for store in stores:
        assert await store.management.accounts() == []
        await store.close()


async def test_the_first_account_is_made_once(lasting_url: str) -> None:
    store = await Store.open(lasting_url, node="a", clock=TIME)
    key = await store.management.create_first_account()
    assert key is not None
    assert key.startswith("tw_")
    await store.close()

    store = await Store.open(lasting_url, node="a", clock=TIME)
    assert await store.management.create_first_account() is None
    (account,) = await store.management.accounts()
    assert (account.name, account.enabled) == ("default", True)
    assert (account.balance_ms, account.max_sessions) == (None, None)
    assert account.sessions_per_minute == 100
    await store.begin("one", key)
    await store.close()


async def test_a_server_closes_what_it_left_open_and_what_lapsed(lasting_url: str) -> None:
    here = await Store.open(lasting_url, node="here", clock=TIME)
    there = await Store.open(lasting_url, node="there", clock=TIME)
    key = await here.management.create_first_account()
    await here.begin("mine", key)
    await there.begin("lapsed", key)
    TIME.now = NOW + LEASE_SECONDS
    await here.begin("left", key)
    await there.begin("alive", key)
    await here.close()

    async def closures() -> dict[str, str | None]:
        sessions = await there.management.sessions(account=None, only_open=False, limit=10)
        return {entry.id: entry.closure for entry in sessions}

    here = await Store.open(lasting_url, node="here", clock=TIME)
    lost = dict.fromkeys(("mine", "lapsed"), "session_lost")
    assert await closures() == {**lost, "left": None, "alive": None}
    # What another process of the same name holds is its own until somebody says otherwise.
    assert await here.reclaim() == 1
    assert await closures() == {**lost, "left": "session_lost", "alive": None}
    await here.close()
    await there.close()


VICTIM = """
import asyncio, itertools, sys
from turnwire.accounts.admission import Usage
from turnwire.accounts.store import Store
from turnwire.wire.closures import SESSION_ENDED

async def main(url, now):
    store = await Store.open(url, node="here", clock=lambda: now)
    key = await store.management.create_first_account()
    await store.management.update_account(
        "default", balance_ms=1_000_000_000, sessions_per_minute=None
    )
    print(key, flush=True)
    await store.begin("ended", key)
    await store.end("ended", Usage(1000, 2000), SESSION_ENDED.fill())
    await store.begin("renewed", key)
    await store.renew({"renewed": Usage(9000, 10_000)})
    for number in itertools.count():
        await store.begin(f"begun-{number}", key)
        print(f"begun-{number}", flush=True)

asyncio.run(main(sys.argv[1], float(sys.argv[2])))
"""


async def test_a_killed_server_loses_no_session(lasting_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", VICTIM, lasting_url, str(NOW), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    told = [await process.stdout.readline() for _ in range(20)]
    # In the midst of its work.
    process.kill()
    told += (await process.stdout.read()).splitlines()
    assert await process.wait() == -signal.SIGKILL
    key, *begun = (line.decode().strip() for line in told)

    TIME.now = NOW + LEASE_SECONDS
    store = await Store.open(lasting_url, node="here", clock=TIME)
    sessions = await store.management.sessions(account=None, only_open=False, limit=10_000)
    kept = {
        entry.id: (entry.closure, entry.ended_at, entry.audio_ms, entry.billed_ms)
        for entry in sessions
    }
    assert kept.pop("ended") == ("session_ended", NOW, 1000, 2000)
    assert kept.pop("renewed") == ("session_lost", NOW, 9000, 10_000)
    # One more may have been entered than it came to tell of.
    assert kept.keys() - set(begun) <= {f"begun-{len(begun)}"}
    assert set(begun) <= kept.keys()
    assert set(kept.values()) == {("session_lost", NOW, 0, 0)}
    (account,) = await store.management.accounts()
    assert account.balance_ms == 1_000_000_000 - 2000 - 10_000
    await store.begin("next", key)
    await store.close()


async def test_other_processes_may_write_too(tmp_path: Path) -> None:
    """As the commands do while a server runs; each has a connection of its own."""
    url = sqlite_url(tmp_path)
    stores = [await Store.open(url, node=node, clock=TIME) for node in ("a", "b", "c")]
    key = await stores[0].management.create_first_account()

    async def write(store: Store, name: str) -> None:
        for number in range(20):
            session = f"{name}-{number}"
            await store.begin(session, key)
            await store.end(session, Usage(), SESSION_ENDED.fill())

    await asyncio.gather(*(write(store, name) for store, name in zip(stores, "abc", strict=True)))
    usage = await stores[0].management.usage([By.ACCOUNT, By.CLOSURE])
    assert [row.sessions for row in usage] == [60]
    for store in stores:
        await store.close()


async def test_what_belongs_to_nothing_is_not_kept(lasting_url: str) -> None:
    database = await Database.open(lasting_url)
    with pytest.raises(IntegrityError):
        async with database.begin() as db:
            db.add(Entry(id="stray", account_id=7, node="here", begun_at=NOW, renewed_at=NOW))
    await database.close()


def contents(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.iterdir())


async def test_no_secret_is_kept(tmp_path: Path) -> None:
    store = await Store.open(sqlite_url(tmp_path), node="here", clock=TIME)
    key = await store.management.create_first_account()
    assert key is not None
    token = await store.issue_token(key, expires_in=60, max_seconds=60)
    await store.begin("one", token)
    kept = contents(tmp_path)
    await store.close()
    kept += contents(tmp_path)
    assert key[:8].encode() in kept
    for secret in (key, token):
        assert secret.encode() not in kept
        assert secret.partition("_")[2][8:].encode() not in kept


async def test_only_its_owner_reads_the_file(tmp_path: Path) -> None:
    directory = tmp_path / "not" / "there"
    store = await Store.open(sqlite_url(directory), node="here", clock=TIME)
    await store.management.create_first_account()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes == dict.fromkeys(["turnwire.db", "turnwire.db-wal", "turnwire.db-shm"], 0o600)
    await store.close()


async def test_a_place_that_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnusable, match=r"^The database .*turnwire\.db cannot be used: "):
        await Database.open(sqlite_url(tmp_path / "file"))


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "turnwire.db").write_text("Dear diary, " * 100)
    with pytest.raises(DatabaseUnusable, match=r"file is not a database"):
        await Database.open(sqlite_url(tmp_path))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("turnwire.db", "The database URL begins with postgresql:// or, for a file, sqlite:///."),
        ("mysql://me:secret@here/x", "The database URL begins with "),
        (
            "postgresql+asyncpg://me:secret@127.0.0.1:1/x",
            "The database postgresql://me@127.0.0.1:1/x cannot be used: connection failed: ",
        ),
        (
            "postgresql:///x?host=/not/there&password=secret",
            "The database postgresql:///x cannot be used: connection ",
        ),
    ],
)
async def test_a_url_that_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatabaseUnusable, match=f"^{re.escape(sentence)}") as error:
        await Database.open(url)
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)
    assert contents(tmp_path) == b""


async def test_a_database_that_is_newer_than_this_program(lasting_url: str) -> None:
    database = await Database.open(lasting_url)
    async with database.begin() as db:
        await db.execute(text("UPDATE turnwire_version SET version_num = 'tomorrow'"))
    await database.close()
    with pytest.raises(DatabaseUnusable, match=r"is of a newer Turnwire: .*'tomorrow'"):
        await Database.open(lasting_url)
