from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Unpack

import pytest

from tests.accounts import postgresql
from tests.cluster.cluster import HAPROXY, Cluster, running
from tests.cluster.sizes import LONG
from turnwire.accounts.database import Database
from turnwire.accounts.management import Management, Terms

_numbers = count()

# Real clients: `./scripts/cluster` alone runs them here. The suite has them without a proxy.
collect_ignore = [] if LONG else ["test_clients.py"]


@pytest.fixture(scope="session")
def server() -> Iterator[Path]:
    """PostgreSQL's directory."""
    if not postgresql.INSTALLED or HAPROXY is None:
        pytest.skip("a cluster needs PostgreSQL and HAProxy: ./scripts/install-clients")
    with postgresql.running() as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def database(server: Path) -> str:
    return f"postgresql://{postgresql.USER}@/postgres?host={server}"


@pytest.fixture(scope="module")
def cluster(database: str) -> Iterator[Cluster]:
    # The path of a socket must be short, and pytest's are not.
    with TemporaryDirectory(prefix="tw-cl-") as folder, running(database, Path(folder)) as cluster:
        yield cluster


@pytest.fixture
async def management(database: str) -> AsyncIterator[Management]:
    opened = await Database.open(database)
    yield Management(opened)
    await opened.close()


NewKey = Callable[..., Awaitable[str]]


@pytest.fixture
def new_key(management: Management) -> NewKey:
    """A key of an account of its own, which may have a name, with these terms."""

    async def make(name: str = "", **terms: Unpack[Terms]) -> str:
        name = name or f"account-{next(_numbers)}"
        terms.setdefault("sessions_per_minute", None)
        await management.create_account(name, **terms)
        return await management.create_key(name, name="")

    return make
