"""What is reserved of a balance, so that sessions that run at once do not overspend it."""

import asyncio

import pytest
from sqlalchemy import text

from tests.accounts.conftest import NOW, TIME
from turnwire.accounts.admission import LEASE_SECONDS, Funds, Usage
from turnwire.accounts.credentials import CROWDED, DISABLED, NO_BALANCE, REVOKED, access_ended
from turnwire.accounts.store import Store
from turnwire.wire.closure import Violation
from turnwire.wire.closures import SESSION_ENDED

DONE = SESSION_ENDED.fill()


async def balance(store: Store) -> int | None:
    (account,) = await store.management.accounts()
    return account.balance_ms


async def test_sessions_at_once_share_what_there_is(store: Store, key: str) -> None:
    await store.management.update_account("default", balance_ms=12_000)
    funds = [(await store.begin(name, key)).funds for name in "abc"]
    assert funds == [
        Funds(5000, seconds_left=12.0),
        Funds(5000, seconds_left=6.0),
        Funds(2000, last=True, seconds_left=4.0),
    ]
    for _ in range(7):
        with pytest.raises(Violation, match=NO_BALANCE):
            await store.begin("d", key)
    # What one does not use, another may.
    await store.end("b", Usage(session_ms=1000), DONE)
    assert await store.renew({"c": Usage(session_ms=1000)}) == {
        "c": Funds(6000, seconds_left=5.0),
    }
    assert await store.renew({"a": Usage(session_ms=5000)}) == {
        "a": Funds(5000, last=True, seconds_left=2.5),
    }
    await store.end("a", Usage(session_ms=5000), DONE)
    await store.end("c", Usage(session_ms=6000), DONE)
    assert await balance(store) == 0


async def test_audio_ahead_of_time_counts(store: Store, key: str) -> None:
    await store.management.update_account("default", balance_ms=12_000)
    await store.begin("a", key)
    assert await store.renew({"a": Usage(audio_ms=5000, session_ms=100)}) == {
        "a": Funds(10_000, seconds_left=7.0)
    }
    assert await store.renew({"a": Usage(audio_ms=10_000, session_ms=200)}) == {
        "a": Funds(12_000, last=True, seconds_left=2.0)
    }


async def test_what_a_dead_server_had_reserved_is_free_again(store: Store, key: str) -> None:
    await store.management.update_account("default", balance_ms=5000)
    await store.begin("a", key)
    with pytest.raises(Violation, match=NO_BALANCE):
        await store.begin("b", key)
    TIME.now = NOW + LEASE_SECONDS
    await store.begin("b", key)


async def test_a_balance_that_is_topped_up_or_lifted(store: Store, key: str) -> None:
    await store.management.update_account("default", balance_ms=1000)
    grant = await store.begin("a", key)
    assert grant.funds == Funds(1000, last=True, seconds_left=1.0)
    await store.management.update_account("default", balance_ms=100_000)
    assert await store.renew({"a": Usage(session_ms=500)}) == {"a": Funds(5500, seconds_left=99.5)}
    await store.management.update_account("default", balance_ms=None)
    assert await store.renew({"a": Usage(session_ms=600)}) == {"a": None}


async def test_what_an_operator_changes_reaches_open_sessions(store: Store, key: str) -> None:
    manage = store.management
    other = await manage.create_key("default", name="other")
    await store.begin("a", key)
    await store.begin("b", other)
    going_on = {"a": Usage(), "b": Usage()}
    assert await store.renew(going_on) == {"a": None, "b": None}
    await manage.revoke_key(2)
    assert await store.renew(going_on) == {"a": None, "b": access_ended(REVOKED)}
    await manage.update_account("default", enabled=False)
    assert await store.renew(going_on) == dict.fromkeys(going_on, access_ended(DISABLED))


async def test_a_token_s_session_ends_with_the_key_it_was_asked_for_with(
    store: Store, key: str
) -> None:
    await store.begin("a", await store.issue_token(key, expires_in=60, max_seconds=60))
    await store.management.revoke_key(1)
    assert await store.renew({"a": Usage()}) == {"a": access_ended(REVOKED)}


async def test_a_lowered_limit_ends_those_that_began_last(store: Store, key: str) -> None:
    for name in "bac":
        await store.begin(name, key)
        TIME.now += 1
    await store.management.update_account("default", max_sessions=2)
    going_on = dict.fromkeys("abc", Usage())
    renewed = {"a": None, "b": None, "c": access_ended(CROWDED)}
    assert await store.renew(going_on) == renewed
    assert await store.renew(going_on) == renewed
    await store.end("b", Usage(), DONE)
    assert await store.renew({"a": Usage(), "c": Usage()}) == {"a": None, "c": None}


@pytest.mark.parametrize("swept", [False, True])
async def test_a_lapsed_session_goes_on_unless_its_slot_was_taken(
    store: Store, key: str, swept: bool
) -> None:
    await store.management.update_account("default", max_sessions=2)
    await store.begin("a", key)
    await store.begin("b", key)
    TIME.now = NOW + 300
    if swept:
        assert await store.close_lost() == 2
    await store.begin("c", key)
    going_on = {"a": Usage(session_ms=300_000), "b": Usage(session_ms=300_000)}
    assert await store.renew(going_on) == {"a": None, "b": access_ended(CROWDED)}


async def test_sessions_of_an_account_without_limits_wait_for_nobody(postgresql_url: str) -> None:
    store = await Store.open(postgresql_url, node="here", clock=TIME)
    key = str(await store.management.create_first_account())
    await store.begin("a", key)
    async with store.database.begin() as db:
        # As another node has it that admits one.
        await db.execute(text("SELECT id FROM turnwire_accounts FOR NO KEY UPDATE"))
        async with asyncio.timeout(20):
            assert await store.renew({"a": Usage(session_ms=1000)}) == {"a": None}
            await store.end("a", Usage(session_ms=2000), DONE)
    await store.close()
