import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnwire.accounts.database_url import (
    PostgresqlUrl,
    SqliteUrl,
    parse_database_url,
    sqlite_url,
)
from turnwire.accounts.errors import DatabaseUnusable

psycopg = pytest.importorskip("psycopg", reason='pip install "turnwire[postgresql]"')


def read(url: str) -> dict[str, str]:
    """What libpq reads of it."""
    parsed = parse_database_url(url)
    assert isinstance(parsed, PostgresqlUrl)
    return dict(psycopg.conninfo.conninfo_to_dict(parsed.conninfo))


@pytest.mark.parametrize(
    "url",
    [
        "postgres://host",
        "postgresql://me@host/db",
        "postgresql://me:p%40ss@host:5433/db?sslmode=require&connect_timeout=3",
        "postgresql://me:with:colon@host/db",
        "postgresql://one:1,two:2,[::1]:3/db?target_session_attrs=read-write",
        "postgresql:///db?host=/var/run/postgresql&application_name=a+b",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/db",
        "postgresql:///?service=turnwire",
        "postgresql://me@host/db?options=-csearch_path%3Dx",
        "postgresql://host/db?ssl=true",
    ],
)
def test_a_url_means_what_it_means_to_psql(url: str) -> None:
    assert read(url) == psycopg.conninfo.conninfo_to_dict(url)


@pytest.mark.parametrize(
    "name", [option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()]
)
def test_every_parameter_of_libpq_gets_there(name: str) -> None:
    assert read(f"postgresql://host/db?{name}=1")[name] == "1"


def test_the_urls_of_earlier_releases() -> None:
    assert read("postgresql+asyncpg://me:pw@host/db?ssl=require") == {
        "user": "me",
        "password": "pw",
        "host": "host",
        "dbname": "db",
        "sslmode": "require",
    }
    assert parse_database_url("sqlite+aiosqlite://") == SqliteUrl(None)
    assert str(parse_database_url("sqlite+aiosqlite:////var/x.db")) == "/var/x.db"


def test_a_schema_of_its_own() -> None:
    url = parse_database_url("postgresql://host/db?schema=speech&sslmode=require")
    assert isinstance(url, PostgresqlUrl)
    assert (url.schema, "schema" in url.conninfo) == ("speech", False)
    with pytest.raises(DatabaseUnusable, match="a name of letters"):
        parse_database_url('postgresql://host/db?schema=a"b')


@pytest.mark.parametrize("path", ["/a b/c", "/50%/x?y#z", "/caf\u00e9"])
def test_a_path_of_any_name(path: str) -> None:
    from pathlib import Path

    assert parse_database_url(sqlite_url(Path(path))) == SqliteUrl(Path(path) / "turnwire.db")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://tw:s3cr@tPart@host/db",
        "postgresql://tw:s3cr/tPart@host/db",
        "postgresql://tw:s3cr#tPart@host/db",
        "postgresql://tw:s3cr?tPart@host/db",
        "postgresql://tw:12?s3cr=tPart@host/db",
        "postgresql://tw:12/s3crtPart@host/db",
        "postgresql://tw:s3cr%tPart@host/db",
        "postgresql://host:s3cr/db",
        "postgresql://[s3cr/db",
    ],
)
def test_what_must_be_percent_encoded(url: str) -> None:
    with pytest.raises(DatabaseUnusable, match="must be percent-encoded") as error:
        parse_database_url(url)
    assert "s3cr" not in str(error.value)
    assert "tPart" not in str(error.value)


@given(st.text(string.printable, min_size=4))
def test_no_password_is_shown(password: str) -> None:
    secret = f"s3cr3t{password}s3cr3t"
    try:
        shown = str(parse_database_url(f"postgresql://me:{secret}@host/db"))
    except DatabaseUnusable as error:
        shown = str(error)
    assert "s3cr3t" not in shown
