"""SQLite's driver, asked once for each statement.

aiosqlite goes to its thread to make a cursor, to execute, to fetch and to close, and after each of
these the event loop has to get round to whoever asked. On a busy server that is most of what a
transaction takes, and the others wait for it.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite

Row = Sequence[Any]


def connect(database: str, **options: Any) -> "Connection":
    """A connection that is opened when it is awaited; the options are those of `sqlite3`."""
    connection = Connection(partial(sqlite3.connect, database, **options))
    # A process that ends does not wait for a disk that hangs.
    connection._thread.daemon = True
    return connection


class Connection(aiosqlite.Connection):
    """What SQLAlchemy takes for a connection of aiosqlite."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(self._open, 0)
        self._connect_to_file = connector
        self._opened: sqlite3.Connection | None = None

    def _open(self) -> sqlite3.Connection:
        self._opened = self._connect_to_file()
        return self._opened

    def stop(self) -> asyncio.Future[Any] | None:
        # Where nobody waits any more for it to be opened, aiosqlite does not know what to close.
        self._tx.put_nowait((None, self._close_opened))
        return super().stop()

    def _close_opened(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def cursor(self) -> "Cursor":  # type: ignore[override]
        return Cursor(self)

    async def rollback(self) -> None:
        # The pool does this with each connection that comes back, most of them committed.
        if self.in_transaction:
            await super().rollback()


class Cursor:
    """Has executed its statement, fetched the rows and closed when it comes back."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Row] = []
        self.description: object = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> Self:
        return await self._do(sqlite3.Cursor.execute, sql, parameters)

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Self:
        return await self._do(sqlite3.Cursor.executemany, sql, parameters)

    async def fetchall(self) -> list[Row]:
        return self._rows

    async def close(self) -> None:
        """Nothing is left to close."""

    async def _do(self, execute: Any, sql: str, parameters: Iterable[Any]) -> Self:
        def there() -> None:
            cursor = self._connection._conn.cursor()
            try:
                execute(cursor, sql, parameters)
                self._rows = cursor.fetchall()
                self.description = cursor.description
                self.rowcount = cursor.rowcount
                self.lastrowid = cursor.lastrowid
            finally:
                cursor.close()

        await self._connection._execute(there)  # type: ignore[no-untyped-call]
        return self
