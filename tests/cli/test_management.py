"""`turnwire accounts`, `keys`, `tokens`, `sessions` and `usage`, on a database of their own."""

import asyncio
import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from turnwire.accounts.admission import Funds, Grant, Usage
from turnwire.accounts.database import sqlite_url
from turnwire.accounts.store import Store
from turnwire.webhooks.deliveries import Deliveries, Parcel
from turnwire.wire.closures import CLIENT_GONE, SESSION_ENDED, Violation

DAY = 24 * 60 * 60.0
NOON = 20_000 * DAY + DAY / 2
"""2024-10-04 12:00 UTC."""


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands find the accounts unless they are told something else."""
    monkeypatch.delenv("TURNWIRE_DATABASE", raising=False)
    monkeypatch.setenv("TURNWIRE_DATA_DIR", str(tmp_path))
    return tmp_path


def rows(output: str) -> list[list[str]]:
    """A table's cells; none of them has two spaces in it."""
    return [
        [cell.strip() for cell in line.split("  ") if cell.strip()] for line in output.split("\n")
    ][:-1]


def admitted(data_dir: Path, credential: str) -> Grant | str:
    """What a server grants the bearer now, or tells it."""

    async def ask() -> Grant | str:
        store = await Store.open(sqlite_url(data_dir), node="test")
        try:
            return await store.begin("a-session", credential)
        except Violation as violation:
            return violation.closure.text
        finally:
            await store.close()

    return asyncio.run(ask())


def test_accounts(turnwire: Invoke) -> None:
    assert turnwire("accounts", "create", "plain").output == ""
    turnwire(
        *("accounts", "create", "[bold]small", "--balance", 90, "--max-sessions", 2),
        *("--sessions-per-minute", 5),
    )
    assert rows(turnwire("accounts", "list").stdout) == [
        ["Name", "Enabled", "Balance, s", "Sessions", "New a minute"],
        ["[bold]small", "yes", "90.0", "2", "5"],
        ["plain", "yes", "unlimited", "unlimited", "100"],
    ]
    turnwire("accounts", "update", "plain", "--disable", "--sessions-per-minute", "unlimited")
    turnwire("accounts", "update", "[bold]small", "--balance", "unlimited", "--max-sessions", 3)
    assert rows(turnwire("accounts", "list").stdout)[1:] == [
        ["[bold]small", "yes", "unlimited", "3", "5"],
        ["plain", "no", "unlimited", "unlimited", "unlimited"],
    ]
    turnwire("accounts", "update", "plain", "--enable")
    assert rows(turnwire("accounts", "list").stdout)[2][1] == "yes"


def test_keys(turnwire: Invoke, data_dir: Path) -> None:
    turnwire("accounts", "create", "default", "--balance", 90)
    key = turnwire("keys", "create", "--name", "phone").stdout.strip()
    head, shown = rows(turnwire("keys", "list").stdout)
    assert head == ["ID", "Account", "Name", "Begins with", "Created (UTC)", "Last used", "Revoked"]
    assert shown[:4] == ["1", "default", "phone", key[:8]]
    assert shown[5:] == ["–", "–"]
    assert admitted(data_dir, key) == Grant(
        funds=Funds(5000, seconds_left=90.0), account="default", key_id=1
    )

    assert turnwire("keys", "revoke", 1).output == ""
    assert admitted(data_dir, key) == "Unauthorized Connection: API key has been revoked"
    shown = rows(turnwire("keys", "list").stdout)[1]
    assert "–" not in shown
    turnwire("keys", "revoke", 1)
    assert rows(turnwire("keys", "list").stdout)[1] == shown


def test_tokens(turnwire: Invoke, data_dir: Path) -> None:
    turnwire("accounts", "create", "web")
    token = turnwire("tokens", "create", "--account", "web", "--max-session-duration", 60).stdout
    assert admitted(data_dir, token.strip()) == Grant(60, account="web")
    assert admitted(data_dir, token.strip()) == (
        "Unauthorized Connection: Token has already been used"
    )


@pytest.fixture
def ledger(turnwire: Invoke, data_dir: Path) -> None:
    """Sessions of two accounts: three that ended, on two days, and one that is open."""
    turnwire("accounts", "create", "one")
    turnwire("accounts", "create", "two")
    one = turnwire("keys", "create", "--account", "one").stdout.strip()
    two = turnwire("keys", "create", "--account", "two").stdout.strip()

    async def fill() -> None:
        time = NOON
        store = await Store.open(sqlite_url(data_dir), node="earth", clock=lambda: time)
        token = await store.issue_token(two, expires_in=60, max_seconds=60)
        for session, credential, begun in (
            ("first", one, NOON - DAY),
            ("second", one, NOON),
            ("third", one, NOON + 1),
            ("fourth", token, NOON + 2),
        ):
            time = begun
            await store.begin(session, credential)
            if session == "first":
                time += 2
                await store.end("first", Usage(1500, 2000), SESSION_ENDED.fill())
        await store.end("second", Usage(3000, 2000), SESSION_ENDED.fill())
        await store.end("third", Usage(0, 500), CLIENT_GONE.fill())
        await store.close()

    asyncio.run(fill())


@pytest.mark.usefixtures("ledger")
def test_sessions(turnwire: Invoke) -> None:
    head = ["ID", "Account", "Begun (UTC)", "Ended", "Closure", "Audio, s", "Billed, s"]
    shown = {
        "first": [
            "one",
            "2024-10-03 12:00:00",
            "2024-10-03 12:00:02",
            "session_ended",
            "1.5",
            "2.0",
        ],
        "second": [
            "one",
            "2024-10-04 12:00:00",
            "2024-10-04 12:00:02",
            "session_ended",
            "3.0",
            "3.0",
        ],
        "third": ["one", "2024-10-04 12:00:01", "2024-10-04 12:00:02", "client_gone", "0.0", "0.5"],
        "fourth": ["two", "2024-10-04 12:00:02", "–", "–", "0.0", "0.0"],
    }

    def listed(*ids: str) -> list[list[str]]:
        return [head, *([id, *shown[id]] for id in ids)]

    def listing(*options: str) -> list[list[str]]:
        return rows(turnwire("sessions", "list", *options).stdout)

    assert listing() == listed("fourth", "third", "second", "first")
    assert listing("--account", "one") == listed("third", "second", "first")
    assert listing("--open") == listed("fourth")
    assert listing("--open", "--account", "one") == [head]


@pytest.mark.usefixtures("ledger")
def test_one_session(turnwire: Invoke) -> None:
    assert rows(turnwire("sessions", "show", "third").stdout)[1:] == [
        ["ID", "third"],
        ["Account", "one"],
        ["Came by", "key 1"],
        ["Server", "earth"],
        ["Begun (UTC)", "2024-10-04 12:00:01"],
        ["Last sign of life", "2024-10-04 12:00:02"],
        ["Ended", "2024-10-04 12:00:02"],
        ["Closure", "client_gone"],
        ["Audio, s", "0.0"],
        ["Session, s", "0.5"],
        ["Billed, s", "0.5"],
    ]
    assert ["Came by", "token 1 of key 2"] in rows(turnwire("sessions", "show", "fourth").stdout)


@pytest.mark.usefixtures("ledger")
def test_usage(turnwire: Invoke) -> None:
    gone = ["one", "client_gone", "1", "0.0", "0.5"]
    open_ = ["two", "open", "1", "0.0", "0.0"]

    def usage(*options: str) -> list[list[str]]:
        return rows(turnwire("usage", *options).stdout)[1:]

    assert usage() == [gone, ["one", "session_ended", "2", "4.5", "5.0"], open_]
    assert usage("--since", "2024-10-04") == [
        gone,
        ["one", "session_ended", "1", "3.0", "3.0"],
        open_,
    ]
    assert usage("--since", "2024-10-05") == []
    assert usage("--account", "two") == [open_]


@pytest.mark.usefixtures("ledger")
def test_usage_for_programs(turnwire: Invoke) -> None:
    row = {
        "account": "two",
        "closure": "open",
        "sessions": 1,
        "audio_seconds": 0.0,
        "billed_seconds": 0.0,
    }
    asked = ("usage", "--account", "two", "--format")
    assert json.loads(turnwire(*asked, "json").stdout) == [row]
    (read,) = csv.DictReader(io.StringIO(turnwire(*asked, "csv").stdout))
    assert read == {name: str(value) for name, value in row.items()}


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("accounts update nobody --disable", "There is no account named nobody."),
        ("keys create --account nobody", "There is no account named nobody."),
        ("tokens create --account nobody", "There is no account named nobody."),
        ("sessions list --account nobody", "There is no account named nobody."),
        ("usage --account nobody", "There is no account named nobody."),
        ("keys revoke 7", "There is no key 7."),
        ("keys revoke 9223372036854775808", "There is no key 9223372036854775808."),
        ("sessions show 7", "There is no session 7."),
        (
            "accounts list --database mysql://here",
            "The database URL begins with postgresql:// or, for a file, sqlite:///.",
        ),
    ],
)
def test_what_is_not_there(turnwire: Invoke, command: str, sentence: str) -> None:
    result = turnwire(*command.split())
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{sentence}\n")


def test_an_account_that_is_there_already(turnwire: Invoke) -> None:
    turnwire("accounts", "create", "one", "--balance", 5)
    result = turnwire("accounts", "create", "one")
    assert (result.exit_code, result.stderr) == (1, "There is an account named one already.\n")
    assert rows(turnwire("accounts", "list").stdout)[1][2] == "5.0"


@pytest.mark.parametrize(
    "limit",
    [
        "--balance=-1",
        "--balance=x",
        "--balance=²",
        "--balance=1e3",
        "--max-sessions=0",
        "--sessions-per-minute=0",
        "--max-sessions=2147483648",
    ],
)
def test_what_is_no_limit(turnwire: Invoke, limit: str) -> None:
    result = turnwire("accounts", "create", "one", limit)
    assert result.exit_code == 2
    assert "is neither unlimited nor a whole number from" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "The name of an account cannot be empty."),
        (" ", "The name of an account cannot be empty."),
        ("x" * 65, "A name has at most 64 characters; this one has 65."),
        ("a\nb", "A name has printable characters only; 'a\\\\nb' has others."),
        ("\x1b[31mred", "A name has printable characters only; '\\\\x1b[31mred' has others."),
    ],
)
def test_what_nothing_can_be_called(turnwire: Invoke, name: str, why: str) -> None:
    result = turnwire("accounts", "create", name)
    assert (result.exit_code, result.stderr) == (1, f"{why}\n".replace("\\\\", "\\"))


def test_names_are_trimmed_and_what_is_printed_is_harmless(turnwire: Invoke) -> None:
    turnwire("accounts", "create", " acme ")
    assert rows(turnwire("accounts", "list").stdout)[1][0] == "acme"
    assert turnwire("keys", "create", "--account", "acme", "--name", "a\x07").exit_code == 1
    told = turnwire("keys", "create", "--account", "no\x1b[2Jbody").stderr
    assert told == "There is no account named no\\x1b[2Jbody.\n"


def test_where_the_accounts_are(
    turnwire: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = sqlite_url(tmp_path / "elsewhere")
    config = tmp_path / "turnwire.toml"
    config.write_text(f'data_dir = "{tmp_path / "file"}"')
    turnwire("accounts", "create", "environment")
    turnwire("accounts", "create", "flag", "--data-dir", tmp_path / "flag")
    turnwire("accounts", "create", "url", "--database", elsewhere)
    assert "environment" in turnwire("accounts", "list").stdout
    assert "flag" in turnwire("accounts", "list", "--data-dir", tmp_path / "flag").stdout
    monkeypatch.setenv("TURNWIRE_DATABASE", elsewhere)
    assert "url" in turnwire("accounts", "list").stdout
    monkeypatch.delenv("TURNWIRE_DATABASE")
    monkeypatch.delenv("TURNWIRE_DATA_DIR")
    turnwire("accounts", "create", "config", "--config", config)
    assert "config" in turnwire("accounts", "list", "--data-dir", tmp_path / "file").stdout


def test_webhooks(turnwire: Invoke, data_dir: Path) -> None:
    turnwire("accounts", "create", "default")
    secret = turnwire("webhooks", "secret").output
    assert secret.startswith("whsec_")
    assert turnwire("webhooks", "secret").output == secret
    assert turnwire("webhooks", "secret", "--new").output != secret

    async def keep() -> None:
        store = await Store.open(sqlite_url(data_dir), node="test")
        header = ("Authorization", "Bearer secret")
        parcel = Parcel("s", "default", "https://h.example/hook?secret", header, "what was said")
        await Deliveries(store.database).keep(parcel)
        await store.close()

    asyncio.run(keep())
    listed = turnwire("webhooks", "list", "--account", "default").output
    [[id, *row]] = rows(listed)[1:]
    assert row[:5] == ["default", "s", "h.example", "waiting", "0"]
    assert "secret" not in listed
    assert "said" not in listed
    assert turnwire("webhooks", "retry", id).output == ""
    unknown = turnwire("webhooks", "retry", "x")
    assert (unknown.exit_code, unknown.stderr) == (1, "There is no delivery x.\n")
