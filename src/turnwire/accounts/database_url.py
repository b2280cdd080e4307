"""The URL of the database: an SQLite file, or any PostgreSQL URL that psql takes.

No part of a URL is repeated in an error unless all of it could be read: in one that cannot, a part
of the password may stand where the host should.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, quote, unquote, urlencode

from turnwire.accounts.errors import DatabaseUnusable

FORM = "postgresql://user:password@host:port/database?parameter=value"

_POSTGRESQL = re.compile(
    r"postgres(?:ql)?(?:\+asyncpg|\+psycopg)?://"
    r"(?P<login>(?P<user>[^:@/?#]*)(?::[^@/?#]*)?@)?"
    r"(?P<hosts>(?:[^:@/?#\[\],]*|\[[0-9A-Fa-f:.%]+\])(?::\d*)?"
    r"(?:,(?:[^:@/?#\[\],]*|\[[0-9A-Fa-f:.%]+\])(?::\d*)?)*)"
    r"(?:/(?P<database>[^@/?#]*))?"
    r"(?:\?(?P<query>[^@?#]*))?"
)
_SQLITE = re.compile(r"sqlite(?:\+aiosqlite)?://(?:/(?P<path>[^?#]*))?")
_ESCAPES = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")
_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class SqliteUrl:
    path: Path | None
    """None: the database is in memory, and gone once it is closed."""

    def __str__(self) -> str:
        """What people may see of it."""
        return "in memory" if self.path is None else str(self.path)


@dataclass(frozen=True, slots=True)
class PostgresqlUrl:
    conninfo: str
    """As libpq reads it, with the password."""
    shown: str
    schema: str | None = None
    """Where the tables are, if not where the server puts them by itself."""

    def __str__(self) -> str:
        """What people may see of it."""
        return self.shown

    @classmethod
    def parse(cls, text: str) -> Self:
        found = _POSTGRESQL.fullmatch(text)
        if found is None or not _ESCAPES.fullmatch(text):
            raise DatabaseUnusable(
                f"The database URL cannot be read; it has the form {FORM}. In the user, the "
                "password and the database, each of @ : / ? # % must be percent-encoded: @ is %40."
            )
        try:
            # A + is a plus here, as libpq has it.
            given = parse_qsl(
                (found["query"] or "").replace("+", "%2B"),
                keep_blank_values=True,
                strict_parsing=True,
            )
        except ValueError:
            given = []
            if found["query"]:
                raise DatabaseUnusable(
                    f"The parameters of the database URL cannot be read; it has the form {FORM}."
                ) from None
        schema = dict(given).get("schema")
        if schema is not None and not _SCHEMA.fullmatch(schema):
            raise DatabaseUnusable(
                "The schema in the database URL is a name of letters, digits and underscores."
            )
        query = [
            # What the driver of earlier releases called it.
            ("sslmode" if name == "ssl" and value != "true" else name, value)
            for name, value in given
            if name != "schema"
        ]
        where = f"{found['hosts']}/{found['database'] or ''}"
        user = f"{found['user']}@" if found["user"] else ""
        return cls(
            conninfo=f"postgresql://{found['login'] or ''}{where}"
            + ("?" + urlencode(query, quote_via=quote) if query else ""),
            shown=f"postgresql://{user}{where}",
            schema=schema,
        )


def parse_database_url(text: str) -> SqliteUrl | PostgresqlUrl:
    """Raises `DatabaseUnusable`, with one sentence that has no secret in it."""
    if found := _SQLITE.fullmatch(text):
        path = unquote(found["path"] or "")
        return SqliteUrl(None if path in ("", ":memory:") else Path(path))
    if text.startswith("postgres"):
        return PostgresqlUrl.parse(text)
    raise DatabaseUnusable("The database URL begins with postgresql:// or, for a file, sqlite:///.")


def sqlite_url(data_dir: Path) -> str:
    """The URL of the database in a data directory."""
    return f"sqlite:///{quote(str(data_dir / 'turnwire.db'))}"
