"""Brings the tables of an older version up to date.

They have names of their own, and so has the table that says of which version they are: other
applications may live in the same database. In the first releases they had not; see `_adopt`.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, text

MIGRATIONS = Path(__file__).parent / "migrations"

VERSION_TABLE = "turnwire_version"

PREFIX = "turnwire_"

_LOCK = 0x7475726E
"""Any number, as long as every server of a PostgreSQL database has the same."""

_FIRST_TABLES = {
    "accounts": "minute_limit",
    "api_keys": "hash",
    "tokens": "max_seconds",
    "sessions": "billed_ms",
}
"""The tables of the first releases, each with a column by which it is known."""


def migrate(connection: Connection, schema: str | None) -> None:
    """Within a transaction."""
    if connection.dialect.name == "postgresql":
        # Servers that start together: one migrates, the others wait. SQLite is locked already.
        connection.execute(text("SELECT pg_advisory_xact_lock(:it)"), {"it": _LOCK})
        if schema is not None:
            # Asked for first: it may be there for one who may not make any.
            if not connection.scalar(text("SELECT to_regnamespace(:it)"), {"it": schema}):
                connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
            connection.exec_driver_sql(f'SET LOCAL search_path TO "{schema}"')
    _adopt(connection)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    command.upgrade(config, "head")


def _adopt(connection: Connection) -> None:
    """Give the tables of a first release their names of today."""
    tables = inspect(connection)
    if tables.has_table(VERSION_TABLE) or not all(
        tables.has_table(table) and column in {each["name"] for each in tables.get_columns(table)}
        for table, column in _FIRST_TABLES.items()
    ):
        return
    versions = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    ours = [version for version in versions if version in ("0001", "0002")]
    if len(ours) != 1:
        return
    for table in _FIRST_TABLES:
        names = [index["name"] for index in tables.get_indexes(table) if index["name"]]
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {PREFIX}{table}")
        if connection.dialect.name == "postgresql":
            _rename_within(connection, table)
        else:
            for name in names:
                _rename_index(connection, table, name)
    connection.exec_driver_sql(
        f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
    )
    connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES (:it)"), {"it": ours[0]})
    if versions == ours:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    else:
        connection.execute(
            text("DELETE FROM alembic_version WHERE version_num = :it"), {"it": ours[0]}
        )


def _rename_within(connection: Connection, table: str) -> None:
    """Rename what PostgreSQL keeps beside a table: constraints and indexes."""
    constraints = connection.execute(
        text("SELECT conname FROM pg_constraint WHERE conrelid = CAST(:it AS regclass)"),
        {"it": PREFIX + table},
    )
    for name in constraints.scalars().all():
        connection.exec_driver_sql(
            f'ALTER TABLE {PREFIX}{table} RENAME CONSTRAINT "{name}" TO "{_today(name, table)}"'
        )
    indexes = connection.execute(
        text(
            "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid "
            "WHERE indrelid = CAST(:it AS regclass)"
        ),
        {"it": PREFIX + table},
    )
    for name in indexes.scalars().all():
        if PREFIX not in name:
            connection.exec_driver_sql(f'ALTER INDEX "{name}" RENAME TO "{_today(name, table)}"')


def _rename_index(connection: Connection, table: str, name: str) -> None:
    """SQLite renames none: it is made anew."""
    made = connection.scalar(
        text("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = :it"), {"it": name}
    )
    if made is not None:
        connection.exec_driver_sql(f"DROP INDEX {name}")
        connection.exec_driver_sql(made.replace(name, _today(name, table), 1))


def _today(name: str, table: str) -> str:
    return name.replace(table, PREFIX + table, 1)
