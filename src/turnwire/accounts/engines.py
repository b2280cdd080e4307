"""How the two databases are reached."""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, AsyncAdaptedQueuePool, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from turnwire.accounts import sqlite_driver
from turnwire.accounts.database_url import PostgresqlUrl, SqliteUrl
from turnwire.accounts.errors import DatabaseUnusable
from turnwire.accounts.failures import BUSY_SECONDS

_ONE_WAIT_SECONDS = 0.5
"""How long SQLite itself waits for other processes before somebody may interrupt."""

_IDLE_SECONDS = 15
"""How long a PostgreSQL server keeps locks for a process that vanished within a transaction."""

_VANISHED = {
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "5",
    "keepalives_count": "2",
    "tcp_user_timeout": "15000",
}
"""A PostgreSQL server that does not answer, as after a failover, is given up in some 15 s; without
these, in a quarter of an hour. What the URL or the environment says comes first."""

_SWITCHES = 100
"""How often a server tries to have its database write ahead, while others are at it."""


@dataclass
class DatabaseFile:
    """The file of an SQLite database, and which file that was when it was opened."""

    path: Path
    _identity: "_Identity"
    _log: "_Identity | None" = None
    """The log that SQLite keeps beside it: what was committed, and is not in the file yet."""

    @classmethod
    def make(cls, path: Path) -> Self:
        path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite gives the files that it keeps beside this one the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        status = path.stat()
        return cls(path, (status.st_dev, status.st_ino))

    def is_there(self) -> bool:
        """Whether the path still leads to the file that was opened."""
        if _identity(self.path) != self._identity:
            return False
        self._log = _identity(self._log_path)
        return True

    def found_again(self) -> bool:
        """Whether there is a file again; it is the one that counts from now on."""
        found = _identity(self.path)
        if found is None:
            return False
        if found != self._identity and self._log and _identity(self._log_path) == self._log:
            # Another file, such as a backup: the log of the old one would spoil it.
            self._log_path.unlink()
        self._identity = found
        return True

    @property
    def _log_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}-wal")


_Identity = tuple[int, int]


def _identity(path: Path) -> _Identity | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def sqlite_engine(url: SqliteUrl) -> AsyncEngine:
    # With one connection, transactions of this process wait for each other in the pool, in the
    # order they came; SQLite itself has no queue and would let the unlucky ones fail. And a
    # database in memory belongs to its connection.
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(url.path) if url.path else None),
        connect_args={"timeout": _ONE_WAIT_SECONDS, "async_creator_fn": sqlite_driver.connect},
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
            cursor.execute(f"PRAGMA busy_timeout = {1000 * _ONE_WAIT_SECONDS:.0f}")
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("ROLLBACK")


def postgresql_engine(url: PostgresqlUrl) -> AsyncEngine:
    """Leaves the URL to libpq, so that it means what it means to psql, environment and all."""
    try:
        import psycopg
    except ImportError:
        raise DatabaseUnusable(
            'PostgreSQL needs a driver: pip install "turnwire[postgresql]"'
        ) from None
    try:
        given = psycopg.conninfo.conninfo_to_dict(url.conninfo)
    except psycopg.ProgrammingError as error:
        what = str(error).splitlines()[0]
        raise DatabaseUnusable(f"The database URL {url} cannot be used: {what}.") from None

    if wait := os.environ.get("PGCONNECT_TIMEOUT"):
        given.setdefault("connect_timeout", wait)
    patience: dict[str, Any] = {
        name: value for name, value in _VANISHED.items() if name not in given
    }

    async def connect() -> Any:
        # No prepared statements: a pooler between, such as PgBouncer, may give each transaction
        # another connection of the server, which knows nothing of those.
        return await psycopg.AsyncConnection.connect(
            url.conninfo, prepare_threshold=None, **patience
        )

    engine = create_async_engine(
        "postgresql+psycopg://",
        async_creator=connect,
        # A connection may have been closed by the other side since it was last used.
        pool_pre_ping=True,
    )

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(
            f"SET LOCAL idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'"
        )

    return engine
