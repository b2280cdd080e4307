"""The accounts: whether their database is there, and of which version."""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from alembic.config import Config
from alembic.script import ScriptDirectory

from turnwire.accounts.database_url import PostgresqlUrl, parse_database_url, sqlite_url
from turnwire.accounts.errors import DatabaseUnusable
from turnwire.accounts.migrating import MIGRATIONS, VERSION_TABLE
from turnwire.doctor.findings import Finding, bad, doubtful, good
from turnwire.server.settings import Settings

CHECK = "accounts"

CONNECT_SECONDS = 5

CLOCKS_DIFFER_SECONDS = 5.0

BACK_UP = "The next start brings it up to date: back it up before."


def accounts(settings: Settings, now: float) -> Finding:
    """`now` is this machine's time, in Unix seconds."""
    if settings.no_auth:
        return good(CHECK, "none are kept (--no-auth)")
    try:
        url = parse_database_url(settings.database or sqlite_url(settings.data_folder_name()))
        if isinstance(url, PostgresqlUrl):
            return _postgresql(url, now)
    except DatabaseUnusable as error:
        return bad(CHECK, str(error), "Mend the setting `database`.")
    return good(CHECK, "in memory") if url.path is None else _sqlite(url.path)


def _sqlite(path: Path) -> Finding:
    if not path.exists():
        return _to_be_made(path)
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK | os.X_OK):
        return bad(CHECK, f"{path} may not be written", "Give it to the user of the server.")
    # Where no process has it open, SQLite would make files beside it only to read it.
    beside = [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")]
    how = "mode=ro" if all(each.exists() for each in beside) else "immutable=1"
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, timeout=2)
        try:
            tables = "SELECT name FROM sqlite_master WHERE name = ?"
            found = connection.execute(tables, (VERSION_TABLE,)).fetchone()
            rows = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}") if found else ()
            versions = [row[0] for row in rows]
        finally:
            connection.close()
    except sqlite3.Error as error:
        return bad(CHECK, f"{path} cannot be read: {error}", "Take back a backup of it.")
    return _of_version(str(path), versions)


def _to_be_made(path: Path) -> Finding:
    place = next(each for each in path.parents if each.exists())
    if not os.access(place, os.W_OK | os.X_OK):
        return bad(
            CHECK,
            f"there is no {path}, and {place} may not be written",
            "Give another folder with --data-dir.",
        )
    return good(CHECK, f"there is no {path} yet; the first start makes it")


def _postgresql(url: PostgresqlUrl, now: float) -> Finding:
    try:
        import psycopg
    except ImportError:
        return bad(CHECK, "PostgreSQL needs a driver", 'pip install "turnwire[postgresql]"')
    table = f"{url.schema}.{VERSION_TABLE}" if url.schema else VERSION_TABLE
    try:
        with psycopg.connect(url.conninfo, connect_timeout=CONNECT_SECONDS) as connection:
            connection.read_only = True
            there = connection.execute("SELECT to_regclass(%s)", (table,)).fetchone()
            rows = connection.execute(f"SELECT version_num FROM {table}") if _any(there) else ()
            versions = [row[0] for row in rows]
            time = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
    except psycopg.Error as error:
        why = str(error).strip().partition("\n")[0]
        return bad(CHECK, f"{url} cannot be used: {why}", "See whether it runs and lets you in.")
    apart = abs(now - float(time[0])) if time else 0.0
    if apart > CLOCKS_DIFFER_SECONDS:
        return doubtful(
            CHECK,
            f"the clock of {url} differs by {apart:.0f} s",
            "The ledger goes by the database's; let NTP set both.",
        )
    return _of_version(str(url), versions)


def _any(row: tuple[object, ...] | None) -> bool:
    return row is not None and row[0] is not None


def _of_version(where: str, versions: list[str]) -> Finding:
    """By the versions that a database says it has: one, or none."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    if not versions:
        return doubtful(CHECK, f"{where} has no tables of this release", BACK_UP)
    if versions == [newest]:
        return good(CHECK, f"{where}, of version {newest}")
    if versions[0] not in {script.revision for script in scripts.walk_revisions()}:
        return bad(
            CHECK,
            f"{where} is of a newer Turnwire (version {versions[0]})",
            "Install that release, or take back a backup of before.",
        )
    return doubtful(CHECK, f"{where}, of version {versions[0]}; {newest} is today's", BACK_UP)
