from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.accounts import postgresql
from turnwire.accounts.database import IN_MEMORY, sqlite_url
from turnwire.accounts.store import Store

NOW = 1_800_000_000.0
"""The start of a minute."""


class Time:
    """The database's clock, which stands still."""

    now = NOW

    def __call__(self) -> float:
        return self.now


TIME = Time()

LASTING = ["file", *(["postgresql"] if postgresql.INSTALLED else [])]


@pytest.fixture(autouse=True)
def _time_begins() -> None:
    TIME.now = NOW


@pytest.fixture(scope="session")
def postgresql_socket() -> Iterator[str]:
    with postgresql.running() as directory:
        yield directory


async def _url(kind: str, request: pytest.FixtureRequest) -> str:
    if kind == "memory":
        return IN_MEMORY
    if kind == "file":
        tmp_path: Path = request.getfixturevalue("tmp_path")
        return sqlite_url(tmp_path / "data")
    server = URL.create(
        "postgresql+psycopg",
        username=postgresql.USER,
        database="postgres",
        query={"host": request.getfixturevalue("postgresql_socket")},
    )
    name = f"t{uuid4().hex}"
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return f"postgresql://{postgresql.USER}@/{name}?host={request.getfixturevalue('postgresql_socket')}"


@pytest.fixture(params=LASTING)
async def lasting_url(request: pytest.FixtureRequest) -> str:
    """A fresh database that can be opened more than once."""
    return await _url(request.param, request)


@pytest.fixture
async def postgresql_url(request: pytest.FixtureRequest) -> str:
    if not postgresql.INSTALLED:
        pytest.skip("there is no PostgreSQL server here; apt-get install postgresql")
    return await _url("postgresql", request)


@pytest.fixture
async def memory_store() -> AsyncIterator[Store]:
    """For what no database does otherwise than another."""
    store = await Store.open(IN_MEMORY, node="here", clock=TIME)
    yield store
    await store.close()


@pytest.fixture(params=["memory", *LASTING])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """An open store with nothing in it."""
    store = await Store.open(await _url(request.param, request), node="here", clock=TIME)
    yield store
    await store.close()


@pytest.fixture
async def key(store: Store) -> str:
    """A key of the first account."""
    key = await store.management.create_first_account()
    assert key is not None
    return key
