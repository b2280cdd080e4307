"""The database behind the accounts: SQLite, or PostgreSQL if the URL says so."""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar

from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from turnwire.accounts.database_url import (
    PostgresqlUrl,
    SqliteUrl,
    parse_database_url,
    sqlite_url,
)
from turnwire.accounts.engines import DatabaseFile, postgresql_engine, sqlite_engine
from turnwire.accounts.errors import DatabaseFailed, DatabaseUnusable
from turnwire.accounts.failures import BUSY_SECONDS, cause, is_busy
from turnwire.accounts.migrating import migrate

__all__ = ["IN_MEMORY", "Database", "carried_through", "sqlite_url"]

IN_MEMORY = "sqlite://"
"""The URL of a database that is gone once it is closed."""

_DATABASE_TIME = text("SELECT extract(epoch FROM clock_timestamp())")
"""Not that of the transaction's begin: it may have waited for a lock since."""

T = TypeVar("T")
P = ParamSpec("P")
S = TypeVar("S", bound="OnDatabase")


class Database:
    """An open database with the tables as they are today."""

    def __init__(
        self,
        url: SqliteUrl | PostgresqlUrl,
        engine: AsyncEngine,
        file: DatabaseFile | None,
        clock: Callable[[], float] | None,
    ) -> None:
        self._url = url
        self._engine = engine
        self._file = file
        self._clock = clock
        # Tables are found where the URL says, whatever connection the server gives.
        schema = url.schema if isinstance(url, PostgresqlUrl) else None
        translated = engine.execution_options(schema_translate_map={None: schema})
        self._sessions = async_sessionmaker(translated, expire_on_commit=False)
        self._carried: set[asyncio.Task[Any]] = set()

    @classmethod
    async def open(cls, url: str, *, clock: Callable[[], float] | None = None) -> Self:
        """Open the database at a URL, made or brought up to date where needed.

        `clock` is read instead of the database's. Raises `DatabaseUnusable`.
        """
        where = parse_database_url(url)
        try:
            file = None
            if isinstance(where, PostgresqlUrl):
                engine = postgresql_engine(where)
            else:
                if where.path is not None:
                    file = DatabaseFile.make(where.path)
                engine = sqlite_engine(where)
            database = cls(where, engine, file, clock)
            try:
                await database._migrate()
            except BaseException:
                await database.close()
                raise
        except CommandError as error:
            raise DatabaseUnusable(
                f"The database {where} is of a newer Turnwire: {error}"
            ) from error
        except (SQLAlchemyError, OSError, ImportError) as error:
            raise DatabaseUnusable(
                f"The database {where} cannot be used: {cause(error)}."
            ) from error
        return database

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A transaction: committed at the end of the context, rolled back if that raises.

        What the driver raises becomes `DatabaseFailed`, but for `IntegrityError`.
        """
        try:
            if self._file is not None:
                await self._look_for(self._file)
            db = await _patiently(self._begun)
            async with db, _committed(db):
                yield db
        except IntegrityError:
            raise
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseFailed(
                f"The database {self._url} cannot be used now: {cause(error)}."
            ) from error

    async def now(self, db: AsyncSession) -> float:
        """The time in Unix seconds, the same for all servers that share the database.

        An SQLite database is on one host, and has that host's clock.
        """
        if self._clock is not None:
            return self._clock()
        if isinstance(self._url, SqliteUrl):
            return time.time()
        return float(await db.scalar(_DATABASE_TIME) or 0)

    async def carry_through(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work to its end, even if its caller is cancelled.

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

    async def _begun(self) -> AsyncSession:
        db = self._sessions()
        try:
            await db.connection()
        except BaseException:
            await db.close()
            raise
        return db

    async def _migrate(self) -> None:
        schema = self._url.schema if isinstance(self._url, PostgresqlUrl) else None

        async def run() -> None:
            async with self._engine.begin() as connection:
                await connection.run_sync(migrate, schema)

        await _patiently(run)

    async def _look_for(self, file: DatabaseFile) -> None:
        """Make sure that the open database is still the one at its path.

        A deleted file can be written for as long as it is open, and nothing of that is kept.
        """
        if file.is_there():
            return
        # Also takes away the files that SQLite keeps beside it, which belong to no other.
        await self._engine.dispose()
        if file.found_again():
            await self._migrate()
        else:
            raise FileNotFoundError(0, "its file was deleted")


class OnDatabase(Protocol):
    """What asks a database."""

    database: Database


def carried_through(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """A method that is done to its end even if its caller is cancelled meanwhile."""

    @functools.wraps(method)
    async def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.database.carry_through(method(self, *args, **kwargs))

    return call


@asynccontextmanager
async def _committed(db: AsyncSession) -> AsyncIterator[None]:
    try:
        yield
        await db.commit()
    except BaseException:
        await db.rollback()
        raise


async def _patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Do it again for as long as another process has the database.

    SQLite could wait itself, but nobody could interrupt it.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return await work()
        except SQLAlchemyError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
