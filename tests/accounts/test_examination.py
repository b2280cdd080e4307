"""What `turnwire doctor` says of a PostgreSQL database, which it only reads."""

import asyncio
import time

from turnwire.accounts.database import Database
from turnwire.doctor.findings import Grade
from turnwire.doctor.store import accounts
from turnwire.server.settings import Settings


async def test_a_database_of_postgresql_is_only_read(postgresql_url: str) -> None:
    settings = Settings(database=postgresql_url, node="here")
    fresh = await asyncio.to_thread(accounts, settings, time.time())
    assert fresh.state is Grade.DOUBTFUL
    assert "no tables" in fresh.finding
    again = await asyncio.to_thread(accounts, settings, time.time())
    assert again == fresh, "none were made"
    await (await Database.open(postgresql_url)).close()
    assert (await asyncio.to_thread(accounts, settings, time.time())).state is Grade.GOOD
    ahead = await asyncio.to_thread(accounts, settings, time.time() + 60)
    assert (ahead.state, "differs by 60 s" in ahead.finding) == (Grade.DOUBTFUL, True)
    in_schema = Settings(database=f"{postgresql_url}&schema=other", node="here")
    assert "no tables" in (await asyncio.to_thread(accounts, in_schema, time.time())).finding
