import pytest

from tests.accounts.conftest import NOW, TIME
from turnwire.accounts.admission import Usage
from turnwire.accounts.errors import NameTaken, NotFound
from turnwire.accounts.grouping import By
from turnwire.accounts.ledger import UsageRow
from turnwire.accounts.store import Store
from turnwire.wire.closures import CLIENT_GONE, SESSION_ENDED


async def test_names_of_accounts_are_unique(store: Store, key: str) -> None:
    with pytest.raises(NameTaken, match="named default already"):
        await store.management.create_account("default")
    (account,) = await store.management.accounts()
    assert account.name == "default"


async def test_what_is_not_there(store: Store) -> None:
    manage = store.management
    with pytest.raises(NotFound, match="account named nobody"):
        await manage.update_account("nobody", enabled=False)
    with pytest.raises(NotFound, match="account named nobody"):
        await manage.create_key("nobody", name="")
    with pytest.raises(NotFound, match="account named nobody"):
        await manage.create_token("nobody", expires_in=60, max_seconds=60)
    with pytest.raises(NotFound, match="account named nobody"):
        await manage.usage([By.ACCOUNT], account="nobody")
    with pytest.raises(NotFound, match="key 7"):
        await manage.revoke_key(7)
    with pytest.raises(NotFound, match="session 7"):
        await manage.session("7")


async def test_a_key_stays_revoked_since_it_was(store: Store, key: str) -> None:
    TIME.now = NOW + 1
    await store.management.revoke_key(1)
    TIME.now = NOW + 2
    await store.management.revoke_key(1)
    (kept,) = await store.management.keys()
    assert (kept.revoked_at, kept.account.name, kept.start) == (NOW + 1, "default", key[:8])


def usage_row(account: str, closure: str | None, sessions: int, audio_ms: int) -> UsageRow:
    """What that many sessions of a millisecond with much audio come to."""
    group = {By.ACCOUNT: account, By.CLOSURE: closure}
    return UsageRow(group, sessions, audio_ms, sessions if closure else 0, audio_ms)


async def test_usage_adds_up(store: Store, key: str) -> None:
    await store.management.create_account("other")
    other = await store.management.create_key("other", name="")
    ended, gone = SESSION_ENDED.fill(), CLIENT_GONE.fill()
    for session, bearer, begun, closure in (
        ("one", key, NOW, ended),
        ("two", key, NOW + 1, ended),
        ("three", key, NOW + 2, gone),
        ("four", other, NOW + 3, gone),
    ):
        TIME.now = begun
        await store.begin(session, bearer)
        TIME.now = begun + 1
        await store.end(session, Usage(audio_ms=2**33, session_ms=1), closure)
    TIME.now = NOW + 4
    await store.begin("five", other)

    gone_here = usage_row("default", "client_gone", 1, 2**33)
    usage, by = store.management.usage, [By.ACCOUNT, By.CLOSURE]
    assert await usage(by, account="default") == [
        gone_here,
        usage_row("default", "session_ended", 2, 2**34),
    ]
    assert await usage(by, account="default", since=NOW + 1) == [
        gone_here,
        usage_row("default", "session_ended", 1, 2**33),
    ]
    assert await usage(by, since=NOW + 2) == [
        gone_here,
        usage_row("other", "client_gone", 1, 2**33),
        usage_row("other", None, 1, 0),
    ]


async def test_sessions_are_listed_newest_first(store: Store, key: str) -> None:
    manage = store.management
    for number in range(3):
        TIME.now = NOW + number
        await store.begin(f"session-{number}", key)
    TIME.now = NOW + 9
    await store.end("session-1", Usage(), SESSION_ENDED.fill())

    async def listed(*, account: str | None = None, only_open: bool = False, limit: int = 9) -> str:
        entries = await manage.sessions(account=account, only_open=only_open, limit=limit)
        assert all(entry.account.name == "default" for entry in entries)
        return "".join(entry.id[-1] for entry in entries)

    assert await listed() == "210"
    assert await listed(limit=2) == "21"
    assert await listed(account="default", only_open=True) == "20"
    assert (await manage.session("session-1")).closure == "session_ended"
