"""PostgreSQL behind PgBouncer, which gives each transaction another connection of the server."""

import asyncio

import pytest

from tests.accounts import postgresql
from turnwire.accounts.admission import Usage
from turnwire.accounts.grouping import By
from turnwire.accounts.store import Store
from turnwire.wire.closures import SESSION_ENDED


@pytest.mark.skipif(not postgresql.POOLER, reason="no PgBouncer here; apt-get install pgbouncer")
async def test_several_servers_behind_a_pooler(postgresql_url: str, postgresql_socket: str) -> None:
    with postgresql.pooled(postgresql_socket) as directory:
        url = postgresql_url.replace(postgresql_socket, directory) + "&port=6432&schema=speech"
        stores = [await Store.open(url, node=name) for name in "abc"]
        key = await stores[0].management.create_first_account()
        await stores[0].management.update_account(
            "default", balance_ms=10**9, max_sessions=50, sessions_per_minute=None
        )

        async def one(number: int) -> None:
            store, session = stores[number % 3], f"session-{number}"
            await store.begin(session, key)
            await store.renew({session: Usage(session_ms=1000)})
            await store.end(session, Usage(session_ms=2000), SESSION_ENDED.fill())

        # More often than a driver takes to prepare what it has seen before.
        await asyncio.gather(*map(one, range(40)))
        [row] = await stores[1].management.usage([By.ACCOUNT, By.CLOSURE])
        assert (row.sessions, row.billed_ms) == (40, 80_000)
        for store in stores:
            await store.close()
