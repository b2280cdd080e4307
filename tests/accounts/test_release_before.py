"""Servers of the release before run while those of this one start, and have brought the tables up
to date: what they say to the database still works.

The statements below are frozen. What a change of the tables breaks here, it breaks in an update
of a cluster: add what is new with a default or as nullable, and take away what is old a release
later, when no server says these any more. Then copy what that release says.
"""

from sqlalchemy import text

from tests.accounts.conftest import NOW, TIME
from turnwire.accounts.admission import Usage
from turnwire.accounts.store import Store
from turnwire.wire.closures import SESSION_ENDED

ACCOUNT = (
    "id, name, created_at, enabled, balance_ms, max_sessions, sessions_per_minute, minute, "
    "minute_limit, minute_used"
)
KEY = "id, account_id, name, hash, start, created_at, revoked_at, last_used_at"
TOKEN = "id, account_id, key_id, hash, created_at, expires_at, max_seconds, used_at"
SESSION = (
    "id, account_id, key_id, token_id, node, process, begun_at, renewed_at, ended_at, closure, "
    "audio_ms, session_ms, billed_ms, reserved_ms"
)

WRITES = [
    f"INSERT INTO turnwire_accounts ({ACCOUNT}) "
    f"VALUES (7, 'old', {NOW}, TRUE, 100000, 5, 100, 0, 100, 0)",
    f"INSERT INTO turnwire_api_keys ({KEY}) "
    f"VALUES (7, 7, 'old', 'hash of a key', 'tw_12345', {NOW}, NULL, NULL)",
    f"INSERT INTO turnwire_tokens ({TOKEN}) "
    f"VALUES (7, 7, 7, 'hash of a token', {NOW}, {NOW + 60}, 60, NULL)",
    *(
        f"INSERT INTO turnwire_sessions ({SESSION}) VALUES ('{session}', 7, 7, 7, 'old', "
        f"'process', {NOW}, {NOW}, NULL, NULL, 0, 0, 0, 5000)"
        for session in ("ended", "going on")
    ),
    "UPDATE turnwire_accounts SET minute = 30000000, minute_limit = 100, minute_used = 2, "
    "balance_ms = 96000, enabled = TRUE, max_sessions = 5, sessions_per_minute = 100 WHERE id = 7",
    f"UPDATE turnwire_api_keys SET last_used_at = {NOW}, revoked_at = NULL WHERE id = 7",
    f"UPDATE turnwire_tokens SET used_at = {NOW} WHERE id = 7",
    "UPDATE turnwire_sessions SET audio_ms = 3000, session_ms = 4000, billed_ms = 4000, "
    f"reserved_ms = 0, renewed_at = {NOW}, ended_at = {NOW}, closure = 'session_ended' "
    "WHERE id = 'ended'",
    f"DELETE FROM turnwire_tokens WHERE expires_at <= {NOW - 86400}",
]

READS = [
    f"SELECT {ACCOUNT} FROM turnwire_accounts",
    f"SELECT {KEY} FROM turnwire_api_keys WHERE hash = 'hash of a key'",
    f"SELECT {TOKEN} FROM turnwire_tokens WHERE hash = 'hash of a token'",
    f"SELECT {SESSION} FROM turnwire_sessions WHERE ended_at IS NULL AND account_id = 7",
]


async def test_the_release_before_runs_on_these_tables(lasting_url: str) -> None:
    store = await Store.open(lasting_url, node="new", clock=TIME)
    async with store.database.begin() as db:
        for each in WRITES:
            await db.execute(text(each))
        for each in READS:
            assert len((await db.execute(text(each))).all()) == 1
    # And this one takes its sessions over.
    [renewal] = (await store.renew({"going on": Usage(session_ms=1000)})).values()
    assert renewal is not None
    await store.end("going on", Usage(session_ms=2000), SESSION_ENDED.fill())
    entries = [await store.management.session(each) for each in ("ended", "going on")]
    assert [entry.closure for entry in entries] == ["session_ended"] * 2
    assert [entry.billed_ms for entry in entries] == [4000, 2000]
    [account] = await store.management.accounts()
    assert account.balance_ms == 94_000
    await store.begin("new", await store.management.create_key("old", name="new"))
    await store.close()
