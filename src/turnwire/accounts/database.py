"""The database behind the accounts: SQLite, or PostgreSQL if the URL says so.

What differs between the two is in this module and nowhere else.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Self, TypeVar

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, AsyncAdaptedQueuePool, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from turnwire.accounts.errors import DatabaseUnusable

MIGRATIONS = Path(__file__).parent / "migrations"

IN_MEMORY = "sqlite+aiosqlite://"
"""The URL of a database that is gone once it is closed."""

BUSY_SECONDS = 30.0
"""How long a transaction waits for those of other processes."""

_DATABASE_TIME = text("SELECT extract(epoch FROM clock_timestamp())")
"""Not that of the transaction's begin: it may have waited for a lock since."""

_SWITCHES = 100
"""How often a server tries to have its database write ahead, while others are at it."""

_MIGRATION_LOCK = 0x7475726E
"""Any number, as long as every server of a PostgreSQL database has the same."""

T = TypeVar("T")


def sqlite_url(data_dir: Path) -> str:
    """The URL of the database in a data directory."""
    url = URL.create("sqlite+aiosqlite", database=str(data_dir / "turnwire.db"))
    return url.render_as_string(hide_password=False)


class Database:
    """An open database with the tables as they are today."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], float] | None = None) -> None:
        self._engine = engine
        self._clock = clock
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._carried: set[asyncio.Task[Any]] = set()

    @classmethod
    async def open(cls, url: str, *, clock: Callable[[], float] | None = None) -> Self:
        """Open the database at an SQLAlchemy URL, made or brought up to date where needed.

        `clock` is read instead of the database's. Raises `DatabaseUnusable`.
        """
        try:
            where = make_url(url)
        except ArgumentError:
            where = None
        if where is None or where.drivername not in DRIVERS:
            # The text is not repeated: there may be a password in it.
            raise DatabaseUnusable(f"The database URL begins with {' or '.join(DRIVERS)}.")
        try:
            engine = DRIVERS[where.drivername](where)
            try:
                async with engine.begin() as connection:
                    await connection.run_sync(_migrate)
            except BaseException:
                await engine.dispose()
                raise
        except CommandError as error:
            raise DatabaseUnusable(
                f"The database {where.render_as_string()} is of a newer Turnwire: {error}"
            ) from error
        except (SQLAlchemyError, OSError, ImportError) as error:
            cause = error.orig if hasattr(error, "orig") else error
            raise DatabaseUnusable(
                f"The database {where.render_as_string()} cannot be used: {cause}"
            ) from error
        return cls(engine, clock)

    def begin(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A transaction: committed at the end of the context, rolled back if that raises."""
        return self._sessions.begin()

    async def now(self, db: AsyncSession) -> float:
        """The time in Unix seconds, the same for all servers that share the database.

        An SQLite database is on one host, and has that host's clock.
        """
        if self._clock is not None:
            return self._clock()
        if self._engine.dialect.name == "sqlite":
            return time.time()
        return float(await db.scalar(_DATABASE_TIME) or 0)

    async def carry_through(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work to its end, even if whoever waits for it is cancelled.

        A cancelled transaction takes its connection with it, and that would be the whole of a
        database in memory.
        """
        task = asyncio.create_task(work)
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        await asyncio.gather(*self._carried, return_exceptions=True)
        await self._engine.dispose()


def _sqlite(url: URL) -> AsyncEngine:
    # With one connection, transactions of this process wait for each other in the pool, in the
    # order they came; SQLite itself has no queue and would let the unlucky ones fail. And a
    # database in memory belongs to its connection.
    engine = create_async_engine(
        url,
        connect_args={"timeout": BUSY_SECONDS},
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=BUSY_SECONDS,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _: object) -> None:
        # The driver's own notion of when a transaction begins is late; see `begin` below.
        connection.isolation_level = None
        cursor = connection.cursor()
        _log_ahead(cursor)
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that begins by reading and then finds that somebody else has written
        # fails at once, whatever the timeout; one that begins by taking the lock waits for it.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    if url.database and url.database != ":memory:":
        path = Path(url.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite gives the files that it keeps beside this one the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return engine


def _log_ahead(cursor: Any) -> None:
    """Have the database write ahead (WAL), so that readers do not wait for writers.

    Of servers that start together, each wants the whole file for a moment to switch. None may wait
    for it with a part of it in hand: each lets go, waits for its turn, and tries again.
    """
    for left in reversed(range(_SWITCHES)):
        try:
            cursor.execute("PRAGMA busy_timeout = 0")
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if not left:
                raise
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {1000 * BUSY_SECONDS:.0f}")
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("ROLLBACK")


def _postgresql(url: URL) -> AsyncEngine:
    # A connection may have been closed by the other side since it was last used.
    return create_async_engine(url, pool_pre_ping=True)


DRIVERS = {"sqlite+aiosqlite": _sqlite, "postgresql+asyncpg": _postgresql}


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Servers that start together: one migrates, the others wait. SQLite is locked already.
        connection.execute(text("SELECT pg_advisory_xact_lock(:it)"), {"it": _MIGRATION_LOCK})
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
