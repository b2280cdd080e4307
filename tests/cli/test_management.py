"""`turnwire accounts`, `keys`, `tokens`, `sessions` and `usage`, on a database of their own."""

import asyncio
import csv
import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import Result

from tests.cli.conftest import Invoke
from tests.support import serving
from turnwire.accounts.admin_keys import AdminKeys
from turnwire.accounts.admission import Funds, Grant, Usage
from turnwire.accounts.database import Database, sqlite_url
from turnwire.accounts.store import Store
from turnwire.admin.extension import admin
from turnwire.cli import sessions
from turnwire.webhooks.api import deliveries
from turnwire.webhooks.deliveries import Deliveries, Parcel
from turnwire.wire.closure import Violation
from turnwire.wire.closures import CLIENT_GONE, SESSION_ENDED

DAY = 24 * 60 * 60.0
NOON = 20_000 * DAY + DAY / 2
"""2024-10-04 12:00 UTC."""


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands find the accounts unless they are told something else."""
    monkeypatch.delenv("TURNWIRE_DATABASE", raising=False)
    monkeypatch.setenv("TURNWIRE_DATA_DIR", str(tmp_path))
    set_up(sqlite_url(tmp_path))
    return tmp_path


def set_up(url: str) -> None:
    """Make a database without accounts."""

    async def run() -> None:
        await (await Database.open(url)).close()

    asyncio.run(run())


@pytest.fixture(params=["here", "by a server"])
def manage(
    request: pytest.FixtureRequest,
    turnwire: Invoke,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Invoke]:
    """Runs the command: on the database, and once more by the admin API of its server."""
    if request.param == "here":
        yield turnwire
        return
    with administered_in_thread(data_dir) as (url, key):
        monkeypatch.setenv("TURNWIRE_DATA_DIR", str(data_dir / "nowhere"))
        monkeypatch.setenv("TURNWIRE_ADMIN_KEY", key)

        def invoke(*arguments: str | Path) -> Result:
            words = 1 if arguments[0] == "usage" else 2
            return turnwire(*arguments[:words], "--server", url, *arguments[words:])

        yield invoke


@contextmanager
def administered_in_thread(data_dir: Path) -> Iterator[tuple[str, str]]:
    """A server with these accounts and an event loop of its own: its address, and an admin key."""
    started: Future[tuple[asyncio.AbstractEventLoop, str, str]] = Future()
    stop = asyncio.Event()

    async def serve() -> None:
        store = await Store.open(sqlite_url(data_dir), node="test")
        _, key = await AdminKeys(store.database).create("test")
        async with serving(registry=store, extend=[admin(also=[deliveries])]) as server:
            url = server.url.replace("ws", "http", 1)
            started.set_result((asyncio.get_running_loop(), url, key))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    loop, url, key = started.result(10)
    try:
        yield url, key
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


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


def test_accounts(manage: Invoke) -> None:
    assert manage("accounts", "create", "plain").output == (
        "Made the account plain: enabled, balance unlimited, sessions at once unlimited, "
        "new ones a minute 100.\n"
    )
    manage(
        *("accounts", "create", "[bold]small", "--balance", 90, "--max-sessions", 2),
        *("--sessions-per-minute", 5),
    )
    assert rows(manage("accounts", "list").stdout) == [
        ["Name", "Enabled", "Balance, s", "Sessions", "New a minute", "Open"],
        ["[bold]small", "yes", "90.0", "2", "5", "0"],
        ["plain", "yes", "unlimited", "unlimited", "100", "0"],
    ]
    manage("accounts", "update", "plain", "--disable", "--sessions-per-minute", "unlimited")
    manage("accounts", "update", "[bold]small", "--balance", "unlimited", "--max-sessions", 3)
    assert rows(manage("accounts", "list").stdout)[1:] == [
        ["[bold]small", "yes", "unlimited", "3", "5", "0"],
        ["plain", "no", "unlimited", "unlimited", "unlimited", "0"],
    ]
    manage("accounts", "update", "plain", "--enable")
    assert rows(manage("accounts", "list").stdout)[2][1] == "yes"


def test_keys(manage: Invoke, data_dir: Path) -> None:
    manage("accounts", "create", "default", "--balance", 90)
    key = manage("keys", "create", "--name", "phone").stdout.strip()
    head, shown = rows(manage("keys", "list").stdout)
    assert head == ["ID", "Account", "Name", "Begins with", "Created (UTC)", "Last used", "Revoked"]
    assert shown[:4] == ["1", "default", "phone", key[:8]]
    assert shown[5:] == ["–", "–"]
    assert admitted(data_dir, key) == Grant(
        funds=Funds(5000, seconds_left=90.0), account="default", key_id=1
    )

    assert manage("keys", "revoke", 1).output == (
        "Revoked key 1 of the account default; its open sessions end within seconds.\n"
    )
    assert admitted(data_dir, key) == "Unauthorized Connection: API key has been revoked"
    shown = rows(manage("keys", "list").stdout)[1]
    assert "–" not in shown
    manage("keys", "revoke", 1)
    assert rows(manage("keys", "list").stdout)[1] == shown


def test_tokens(manage: Invoke, data_dir: Path) -> None:
    manage("accounts", "create", "web")
    token = manage("tokens", "create", "--account", "web", "--max-session-duration", 60).stdout
    assert admitted(data_dir, token.strip()) == Grant(60, account="web")
    assert admitted(data_dir, token.strip()) == (
        "Unauthorized Connection: Token has already been used"
    )


@pytest.fixture
def ledger(manage: Invoke, data_dir: Path) -> None:
    """Sessions of two accounts: three that ended, on two days, and one that is open."""
    manage("accounts", "create", "one")
    manage("accounts", "create", "two")
    one = manage("keys", "create", "--account", "one").stdout.strip()
    two = manage("keys", "create", "--account", "two").stdout.strip()

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
def test_sessions(manage: Invoke) -> None:
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
        return rows(manage("sessions", "list", *options).stdout)

    assert listing() == listed("fourth", "third", "second", "first")
    assert listing("--account", "one") == listed("third", "second", "first")
    assert listing("--open") == listed("fourth")
    assert listing("--open", "--account", "one") == [head]
    assert listing("--since", "2024-10-04", "--code", "1000") == listed("second")
    assert listing("--until", "2024-10-04T12:00:01") == listed("second", "first")


@pytest.mark.usefixtures("ledger")
def test_one_session(manage: Invoke) -> None:
    assert rows(manage("sessions", "show", "third").stdout)[1:] == [
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
    assert ["Came by", "token 1 of key 2"] in rows(manage("sessions", "show", "fourth").stdout)


@pytest.mark.usefixtures("ledger")
def test_usage(manage: Invoke) -> None:
    gone = ["one", "client_gone", "1", "0.0", "0.5", "0.5"]
    open_ = ["two", "open", "1", "0.0", "0.0", "0.0"]

    def usage(*options: str) -> list[list[str]]:
        return rows(manage("usage", *options).stdout)[1:]

    assert usage() == [gone, ["one", "session_ended", "2", "4.5", "4.0", "5.0"], open_]
    assert usage("--since", "2024-10-04") == [
        gone,
        ["one", "session_ended", "1", "3.0", "2.0", "3.0"],
        open_,
    ]
    assert usage("--since", "2024-10-05") == []
    assert usage("--until", "2024-10-04", "--by", "day", "--by", "key") == [
        ["2024-10-03", "1", "1", "1.5", "2.0", "2.0"],  # the key has no name
    ]
    assert usage("--account", "two") == [open_]


@pytest.mark.usefixtures("ledger")
def test_usage_for_programs(manage: Invoke) -> None:
    row = {
        "account": "two",
        "closure": "open",
        "sessions": 1,
        "audio_seconds": 0.0,
        "session_seconds": 0.0,
        "billed_seconds": 0.0,
    }
    asked = ("usage", "--account", "two")
    assert json.loads(manage(*asked, "--json").stdout) == [row]
    (read,) = csv.DictReader(io.StringIO(manage(*asked, "--csv").stdout))
    assert read == {name: str(value) for name, value in row.items()}
    both = manage(*asked, "--csv", "--json")
    assert (both.exit_code, both.stdout) == (2, "")


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
        ("accounts delete nobody", "There is no account named nobody."),
        ("accounts top-up nobody 5 --reason x", "There is no account named nobody."),
        ("accounts top-ups nobody", "There is no account named nobody."),
        ("sessions end 7", "There is no session 7."),
    ],
)
def test_what_is_not_there(turnwire: Invoke, command: str, sentence: str) -> None:
    result = turnwire(*command.split())
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{sentence}\n")


def test_an_account_that_is_there_already(manage: Invoke) -> None:
    manage("accounts", "create", "one", "--balance", 5)
    result = manage("accounts", "create", "one")
    assert (result.exit_code, result.stderr) == (1, "There is an account named one already.\n")
    assert rows(manage("accounts", "list").stdout)[1][2] == "5.0"


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
        ("..", "No account can be named '..'."),
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
    for place in ("flag", "elsewhere", "file"):
        set_up(sqlite_url(tmp_path / place))
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


def test_webhooks(manage: Invoke, data_dir: Path) -> None:
    manage("accounts", "create", "default")
    secret = manage("webhooks", "secret").stdout
    assert secret.startswith("whsec_")
    assert manage("webhooks", "secret").stdout == secret
    new = manage("webhooks", "secret", "--new").stdout
    assert new != secret
    assert json.loads(manage("webhooks", "secret", "--json").stdout) == {
        "account": "default",
        "secret": new.strip(),
    }
    assert manage("webhooks", "secret", "--account", "a/b").stderr == (
        "There is no account named a/b.\n"
    )

    async def keep() -> None:
        store = await Store.open(sqlite_url(data_dir), node="test")
        header = ("Authorization", "Bearer secret")
        parcel = Parcel("s", "default", "https://h.example/hook?secret", header, "what was said")
        await Deliveries(store.database).keep(parcel)
        await store.close()

    asyncio.run(keep())
    listed = manage("webhooks", "list", "--account", "default").output
    [[id, *row]] = rows(listed)[1:]
    assert row[:5] == ["default", "s", "h.example", "waiting", "0"]
    assert "secret" not in listed
    assert "said" not in listed
    assert manage("webhooks", "retry", id).output == (
        f"Delivery {id} is tried again within seconds.\n"
    )
    unknown = manage("webhooks", "retry", "x")
    assert (unknown.exit_code, unknown.stderr) == (1, "There is no delivery x.\n")


def test_balances_and_the_end_of_an_account(manage: Invoke) -> None:
    manage("accounts", "create", "a/b", "--balance", 90)
    topped = manage("accounts", "top-up", "a/b", "60.5", "--reason", "invoice 7")
    assert topped.stdout == "Added 60.5 s to the balance of a/b; it is 150.5 s now.\n"
    manage("accounts", "top-up", "a/b", "--reason", "a mistake", "--", "-60.5")
    listed = rows(manage("accounts", "top-ups", "a/b").stdout)
    assert [row[1:] for row in listed] == [
        ["Added, s", "Balance, s", "Reason"],
        ["-60.5", "90.0", "a mistake"],
        ["60.5", "150.5", "invoice 7"],
    ]
    assert "1 to 200 printable characters" in (
        manage("accounts", "top-up", "a/b", "1", "--reason", " ").stderr
    )
    manage("accounts", "update", "a/b", "--balance", "unlimited")
    assert manage("accounts", "top-up", "a/b", "1", "--reason", "x").stderr == (
        "The account a/b has no balance: it is not limited.\n"
    )
    assert manage("accounts", "delete", "a/b").stdout == (
        "Deleted the account a/b; the ledger keeps its sessions and its name.\n"
    )
    assert manage("accounts", "create", "a/b").stderr == (
        "An account named a/b was deleted, and the ledger keeps its name.\n"
    )
    assert len(rows(manage("accounts", "list").stdout)) == 1
    assert manage("keys", "create", "--account", "a/b").stderr == (
        "There is no account named a/b.\n"
    )
    assert manage("keys", "revoke", 7).stderr == "There is no key 7.\n"


def test_json(manage: Invoke, data_dir: Path) -> None:
    account = json.loads(manage("accounts", "create", "one", "--json").stdout)
    assert (account["name"], account["balance_seconds"]) == ("one", None)
    key = json.loads(manage("keys", "create", "--account", "one", "--json").stdout)
    assert admitted(data_dir, key.pop("key")) == Grant(account="one", key_id=1)
    [listed] = json.loads(manage("keys", "list", "--json").stdout)
    assert listed == key | {"last_used_at": listed["last_used_at"]}
    [session] = json.loads(manage("sessions", "list", "--json").stdout)
    assert session == json.loads(manage("sessions", "show", "a-session", "--json").stdout)
    assert manage("sessions", "end", "a-session").stdout == (
        "Asked for the end of session a-session; its server ends it within seconds.\n"
    )
    assert json.loads(manage("usage", "--account", "one", "--json").stdout)[0]["closure"] == "open"


def test_many_sessions_are_listed_page_by_page(
    manage: Invoke, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_LISTED", 2)
    manage("accounts", "create", "one", "--sessions-per-minute", "unlimited")
    key = manage("keys", "create", "--account", "one").stdout.strip()

    async def fill() -> None:
        store = await Store.open(sqlite_url(data_dir), node="earth", clock=lambda: NOON)
        # All of one moment: their ids decide.
        for number in range(5):
            await store.begin(f"session-{number}", key)
        await store.close()

    asyncio.run(fill())
    names = [f"session-{number}" for number in reversed(range(5))]
    assert [row[0] for row in rows(manage("sessions", "list").stdout)] == ["ID", *names]
    listed = json.loads(manage("sessions", "list", "--json").stdout)
    assert [session["id"] for session in listed] == names


def test_admin_keys(turnwire: Invoke, data_dir: Path) -> None:
    key = turnwire("admin", "create-key", "--name", "ops").stdout.strip()
    assert rows(turnwire("admin", "list-keys").stdout)[1][:3] == ["1", "ops", key[:8]]
    assert turnwire("admin", "revoke-key", 1).stdout == "Revoked admin key 1.\n"
    assert "–" in rows(turnwire("admin", "list-keys").stdout)[1]
    assert turnwire("admin", "revoke-key", 2).stderr == "There is no admin key 2.\n"
    assert admitted(data_dir, key) == "Unauthorized Connection: Invalid API key"


@pytest.mark.parametrize("command", ["accounts list", "admin list-keys", "sessions list", "usage"])
def test_a_folder_without_accounts_is_left_as_it_is(
    turnwire: Invoke, tmp_path: Path, command: str
) -> None:
    for folder in (tmp_path / "there", tmp_path / "nowhere"):
        if folder.name == "there":
            folder.mkdir()
        result = turnwire(*command.split(), "--data-dir", folder)
        assert (result.exit_code, result.stderr) == (
            1,
            f"There are no accounts in {folder}: `turnwire init` makes them there, and --data-dir "
            "names another folder.\n",
        )
    assert not list((tmp_path / "there").iterdir())
    assert not (tmp_path / "nowhere").exists()
    assert turnwire("drain", "--data-dir", tmp_path / "nowhere").exit_code == 1
    assert not (tmp_path / "nowhere").exists()


def test_a_database_url_that_is_none(turnwire: Invoke) -> None:
    assert turnwire("accounts", "list", "--database", "mysql://here").stderr == (
        "The database URL begins with postgresql:// or, for a file, sqlite:///.\n"
    )


def test_servers_that_do_not_do_it(turnwire: Invoke, data_dir: Path) -> None:
    def told(server: str, *key: str) -> str:
        result = turnwire("accounts", "list", "--server", server, *key)
        assert (result.exit_code, result.stdout) == (1, "")
        return result.stderr

    with administered_in_thread(data_dir) as (url, _):
        assert told(url) == "An admin key is needed; `turnwire admin create-key` makes one.\n"
        assert told(url, "--admin-key", "x") == "This is no admin key, or it was revoked.\n"
        assert told(f"{url}/elsewhere") == (
            f"The server at {url}/elsewhere has no admin API: it answers 404.\n"
        )
    assert told(url) == f"The server at {url} cannot be reached: Connection refused.\n"
    assert told("localhost:8080") == (
        "'localhost:8080' is not the address of a server; expected something like "
        "http://localhost:8080.\n"
    )


@pytest.mark.parametrize("command", ["accounts list", "webhooks list", "usage", "drain"])
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("--server http://h --data-dir d", "--data-dir is for what is done here, and --server "),
        ("--server http://h --config f", "--config is for what is done here, and --server "),
        ("--admin-key k", "--admin-key is for a server that does it: name that with --server."),
        ("--ca-file f", "--ca-file is for a server that does it: name that with --server."),
    ],
)
def test_what_would_not_matter_is_refused(
    turnwire: Invoke, command: str, given: str, sentence: str
) -> None:
    result = turnwire(*command.split(), *given.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(sentence)


def test_a_server_elsewhere_needs_no_settings_of_this_machine(
    turnwire: Invoke, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with administered_in_thread(data_dir) as (url, key):
        monkeypatch.setenv("TURNWIRE_ADMIN_KEY", key)
        monkeypatch.setenv("TURNWIRE_DATABASE", "postgresql://elsewhere")
        monkeypatch.setenv("TURNWIRE_CONFIG", str(data_dir / "nowhere.toml"))
        assert turnwire("accounts", "list", "--server", url).exit_code == 0
