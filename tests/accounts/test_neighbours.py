"""Databases that others use too, and those of earlier releases."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from tests.accounts.conftest import NOW, TIME
from turnwire.accounts.database import Database
from turnwire.accounts.migrating import VERSION_TABLE
from turnwire.accounts.store import Store
from turnwire.accounts.tables import Base

FIRST_RELEASE = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
INSERT INTO alembic_version VALUES ('0001');
CREATE TABLE accounts (
    id {serial}, name VARCHAR NOT NULL, created_at {double} NOT NULL, enabled BOOLEAN NOT NULL,
    balance_ms BIGINT, max_sessions INTEGER, sessions_per_minute INTEGER,
    minute INTEGER NOT NULL, minute_limit INTEGER NOT NULL, minute_used INTEGER NOT NULL,
    CONSTRAINT pk_accounts PRIMARY KEY (id), CONSTRAINT uq_accounts_name UNIQUE (name)
);
CREATE TABLE api_keys (
    id {serial}, account_id INTEGER NOT NULL, name VARCHAR NOT NULL, hash VARCHAR NOT NULL,
    start VARCHAR NOT NULL, created_at {double} NOT NULL, revoked_at {double},
    last_used_at {double},
    CONSTRAINT pk_api_keys PRIMARY KEY (id),
    CONSTRAINT fk_api_keys_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id),
    CONSTRAINT uq_api_keys_hash UNIQUE (hash)
);
CREATE TABLE tokens (
    id {serial_forever}, account_id INTEGER NOT NULL, key_id INTEGER, hash VARCHAR NOT NULL,
    created_at {double} NOT NULL, expires_at {double} NOT NULL, max_seconds INTEGER NOT NULL,
    used_at {double}, {pk_tokens}
    CONSTRAINT fk_tokens_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id),
    CONSTRAINT fk_tokens_key_id_api_keys FOREIGN KEY(key_id) REFERENCES api_keys (id),
    CONSTRAINT uq_tokens_hash UNIQUE (hash)
);
CREATE INDEX ix_tokens_expires_at ON tokens (expires_at);
CREATE TABLE sessions (
    id VARCHAR NOT NULL, account_id INTEGER NOT NULL, key_id INTEGER, token_id INTEGER,
    node VARCHAR NOT NULL, begun_at {double} NOT NULL, renewed_at {double} NOT NULL,
    ended_at {double}, closure VARCHAR, audio_ms BIGINT NOT NULL, session_ms BIGINT NOT NULL,
    billed_ms BIGINT NOT NULL,
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT fk_sessions_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id),
    CONSTRAINT fk_sessions_key_id_api_keys FOREIGN KEY(key_id) REFERENCES api_keys (id)
);
CREATE INDEX ix_sessions_begun_at ON sessions (begun_at);
CREATE INDEX ix_sessions_ended_at_account_id ON sessions (ended_at, account_id);
INSERT INTO accounts VALUES (1, 'old', 5, TRUE, NULL, NULL, 100, 0, 100, 0);
INSERT INTO sessions VALUES ('s', 1, NULL, NULL, 'n', 5, 6, 7, 'session_ended', 8, 9, 9)
"""

_FORMS = {
    "sqlite": {
        "serial": "INTEGER NOT NULL",
        "serial_forever": "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT",
        "double": "DOUBLE",
        "pk_tokens": "",
    },
    "postgresql": {
        "serial": "SERIAL NOT NULL",
        "serial_forever": "SERIAL NOT NULL",
        "double": "DOUBLE PRECISION",
        "pk_tokens": "CONSTRAINT pk_tokens PRIMARY KEY (id),",
    },
}


async def run(url: str, *statements: str) -> None:
    """On the database, without making Turnwire's tables in it."""
    from turnwire.accounts.database_url import SqliteUrl, parse_database_url
    from turnwire.accounts.engines import DatabaseFile, postgresql_engine, sqlite_engine

    where = parse_database_url(url)
    if isinstance(where, SqliteUrl):
        assert where.path is not None
        DatabaseFile.make(where.path)
        engine = sqlite_engine(where)
    else:
        engine = postgresql_engine(where)
    async with engine.begin() as connection:
        forms = _FORMS[connection.dialect.name]
        for statement in statements:
            for each in statement.format(**forms).split(";"):
                await connection.execute(text(each))
    await engine.dispose()


async def tables(database: Database) -> set[str]:
    async with database.begin() as db:
        return set(await (await db.connection()).run_sync(lambda it: inspect(it).get_table_names()))


OURS = {*(table.name for table in Base.metadata.sorted_tables), VERSION_TABLE}


async def test_a_database_of_the_first_release_is_brought_up_to_date(lasting_url: str) -> None:
    await run(lasting_url, FIRST_RELEASE)
    store = await Store.open(lasting_url, node="here", clock=TIME)
    assert [account.name for account in await store.management.accounts()] == ["old"]
    assert (await store.management.session("s")).billed_ms == 9
    key = await store.management.create_key("old", name="new")
    await store.begin("new", key)
    found = await tables(store.database)
    assert found - {"sqlite_sequence"} == OURS

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        found = list(compare_metadata(context, Base.metadata))
        if connection.dialect.name == "sqlite":
            # It cannot rename what has no use but to be named.
            found = [each for each in found if not each[0].endswith("_constraint")]
        return found

    async with store.database.begin() as db:
        assert await (await db.connection()).run_sync(differences) == []
    await store.close()


async def test_a_database_with_another_application_in_it(lasting_url: str) -> None:
    others = {"alembic_version", "sessions", "accounts"}
    await run(
        lasting_url,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
        "INSERT INTO alembic_version VALUES ('0001')",
        "CREATE TABLE accounts (id INTEGER PRIMARY KEY)",
        "CREATE TABLE sessions (id INTEGER PRIMARY KEY)",
    )
    store = await Store.open(lasting_url, node="here", clock=TIME)
    await store.begin("one", await store.management.create_first_account())
    assert others | OURS <= await tables(store.database)
    async with store.database.begin() as db:
        versions = await db.scalars(text("SELECT version_num FROM alembic_version"))
        assert versions.all() == ["0001"]
    await store.close()


async def test_a_schema_in_the_url(postgresql_url: str) -> None:
    """Two installations in one database, one of them in a schema of its own."""
    here = await Store.open(postgresql_url, node="here", clock=TIME)
    there = await Store.open(f"{postgresql_url}&schema=speech", node="there", clock=TIME)
    key = await there.management.create_first_account()
    await there.begin("one", key)
    await there.begin("two", await there.issue_token(str(key), expires_in=9, max_seconds=60))
    TIME.now = NOW + 60
    assert await there.close_lost() == 2
    assert await here.management.accounts() == []
    await there.close()
    there = await Store.open(f"{postgresql_url}&schema=speech", node="there", clock=TIME)
    assert len(await there.management.accounts()) == 1
    await here.close()
    await there.close()


async def test_a_parameter_that_libpq_does_not_know() -> None:
    from turnwire.accounts.errors import DatabaseUnusable

    with pytest.raises(DatabaseUnusable, match='invalid URI query parameter: "colour"'):
        await Database.open("postgresql://host/db?colour=red")
