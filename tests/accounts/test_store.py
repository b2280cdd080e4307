import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import count

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.accounts.conftest import NOW, TIME
from turnwire.accounts.admission import LEASE_SECONDS, Funds, Grant, Registry, Usage
from turnwire.accounts.credentials import DISABLED, EXPIRED, INVALID, NO_BALANCE, REVOKED, USED
from turnwire.accounts.management import Terms
from turnwire.accounts.store import Store
from turnwire.accounts.tables import Account, Entry, Token
from turnwire.accounts.tokens import KEPT_SECONDS
from turnwire.wire.closure import Violation
from turnwire.wire.closures import CLIENT_GONE, NO_CAPACITY, SESSION_ENDED

MISSING_TEXT = "Unauthorized Connection: Missing Authorization header"
TOO_MANY_TEXT = "Unauthorized Connection: Too many concurrent sessions"

NO_USE = Usage()
DONE = SESSION_ENDED.fill()

_ids = count()


async def begin(store: Registry, credential: str | None, now: float = NOW) -> str:
    """A session that was admitted."""
    session = f"session-{next(_ids)}"
    TIME.now = now
    await store.begin(session, credential)
    return session


async def refusal(store: Registry, credential: str | None, now: float = NOW) -> str:
    """What a client is told that was not."""
    with pytest.raises(Violation) as violation:
        await begin(store, credential, now)
    return violation.value.closure.text


async def granted(store: Registry, credential: str | None) -> Grant:
    return await store.begin(f"session-{next(_ids)}", credential)


async def token(store: Registry, key: str, now: float = NOW, max_seconds: int = 10_800) -> str:
    TIME.now = now
    return await store.issue_token(key, expires_in=60, max_seconds=max_seconds)


async def account(store: Store) -> Account:
    (account,) = await store.management.accounts()
    return account


async def only_session(store: Store) -> Entry:
    (entry,) = await store.management.sessions(account=None, only_open=False, limit=2)
    return entry


async def open_sessions(store: Store) -> int:
    return len(await store.management.sessions(account=None, only_open=True, limit=1000))


async def test_a_session_from_its_begin_to_its_end(store: Store, key: str) -> None:
    session = await begin(store, key)
    (api_key,) = await store.management.keys()
    assert api_key.last_used_at == NOW
    entry = await only_session(store)
    assert (entry.id, entry.key_id, entry.token_id, entry.node) == (session, 1, None, "here")
    assert (entry.begun_at, entry.ended_at, entry.closure) == (NOW, None, None)

    TIME.now = NOW + 5
    await store.renew({session: Usage(audio_ms=4000, session_ms=5000)})
    entry = await only_session(store)
    assert (entry.audio_ms, entry.session_ms, entry.renewed_at) == (4000, 5000, NOW + 5)

    TIME.now = NOW + 9
    await store.end(session, Usage(audio_ms=7000, session_ms=9000), DONE)
    entry = await only_session(store)
    assert (entry.ended_at, entry.closure) == (NOW + 9, "session_ended")
    assert (entry.audio_ms, entry.session_ms, entry.billed_ms) == (7000, 9000, 9000)


@pytest.mark.parametrize("credential", [None, ""])
async def test_a_client_without_a_credential(store: Store, credential: str | None) -> None:
    assert await refusal(store, credential) == MISSING_TEXT


@dataclass(frozen=True)
class Case:
    """Terms of an account, and what a bearer of its key is told."""

    terms: Terms
    reason: str


@pytest.mark.parametrize(
    "case",
    [
        Case({"enabled": False}, DISABLED),
        Case({"balance_ms": 0}, NO_BALANCE),
        Case({"balance_ms": -1}, NO_BALANCE),
        Case({"enabled": False, "balance_ms": 0}, DISABLED),
    ],
)
async def test_an_account_that_may_open_none(store: Store, key: str, case: Case) -> None:
    issued = await token(store, key)
    await store.management.update_account("default", **case.terms)
    told = f"Unauthorized Connection: {case.reason}"
    assert await refusal(store, key) == told
    assert await refusal(store, issued) == told
    with pytest.raises(Violation, match=case.reason):
        await token(store, key)


@pytest.mark.parametrize("credential", ["tw_never-issued", "\udc80", "x" * 10_000])
async def test_an_unknown_key(store: Store, key: str, credential: str) -> None:
    assert await refusal(store, credential) == f"Unauthorized Connection: {INVALID}"
    with pytest.raises(Violation, match=INVALID):
        await token(store, credential)


async def test_a_revoked_key_and_its_tokens(store: Store, key: str) -> None:
    issued = await token(store, key)
    await store.management.revoke_key(1)
    assert await refusal(store, key) == f"Unauthorized Connection: {REVOKED}"
    assert await refusal(store, issued) == f"Unauthorized Connection: {REVOKED}"


async def test_a_token_opens_one_session(store: Store, key: str) -> None:
    issued = await token(store, key)
    await begin(store, issued)
    assert await refusal(store, issued) == f"Unauthorized Connection: {USED}"
    entry = await only_session(store)
    assert (entry.key_id, entry.token_id) == (1, 1)


async def test_a_token_is_good_until_it_expires(store: Store, key: str) -> None:
    late, early = await token(store, key), await token(store, key)
    await begin(store, early, NOW + 59.9)
    assert await refusal(store, late, NOW + 60) == f"Unauthorized Connection: {EXPIRED}"
    # Expiry is told before use.
    assert await refusal(store, early, NOW + 60) == f"Unauthorized Connection: {EXPIRED}"


async def test_tokens_that_may_be_used_again(lasting_url: str) -> None:
    store = await Store.open(lasting_url, node="here", clock=TIME, reusable_tokens=True)
    key = await store.management.create_first_account()
    assert key is not None
    issued = await token(store, key)
    await begin(store, issued)
    await begin(store, issued)
    assert await refusal(store, issued, NOW + 60) == f"Unauthorized Connection: {EXPIRED}"
    await store.close()


async def test_a_token_does_not_get_tokens(store: Store, key: str) -> None:
    issued = await token(store, key)
    with pytest.raises(Violation, match=INVALID):
        await token(store, issued)
    with pytest.raises(Violation, match="Missing Authorization header"):
        await store.issue_token(None, expires_in=60, max_seconds=60)


async def test_a_token_of_one_account_asked_for_by_an_operator(store: Store, key: str) -> None:
    issued = await store.management.create_token("default", expires_in=9, max_seconds=70)
    assert (await granted(store, issued)).max_seconds == 70
    entry = await only_session(store)
    assert (entry.key_id, entry.token_id) == (None, 1)


async def test_a_refused_token_is_not_used_up(store: Store, key: str) -> None:
    issued = await token(store, key)
    await store.management.update_account("default", max_sessions=1)
    session = await begin(store, key)
    assert await refusal(store, issued) == TOO_MANY_TEXT
    await store.end(session, NO_USE, DONE)
    await begin(store, issued)


async def test_long_expired_tokens_are_forgotten(store: Store, key: str) -> None:
    forgotten = await token(store, key)
    later = NOW + 61 + KEPT_SECONDS
    kept = await token(store, key, later - 61)
    await token(store, key, later)
    assert await refusal(store, forgotten, later) == f"Unauthorized Connection: {INVALID}"
    assert await refusal(store, kept, later) == f"Unauthorized Connection: {EXPIRED}"
    async with store.database.begin() as db:
        assert await db.get(Token, 1) is None
        assert await db.get(Token, 2) is not None


@pytest.mark.parametrize(("cap", "max_seconds"), [(None, 10_800), (60, 60)])
async def test_how_long_a_session_may_last(
    store: Store, key: str, cap: int | None, max_seconds: int
) -> None:
    credential = key if cap is None else await token(store, key, max_seconds=cap)
    assert (await granted(store, credential)).max_seconds == max_seconds


async def test_audio_that_came_faster_than_it_was_spoken_is_billed(store: Store, key: str) -> None:
    session = await begin(store, key)
    TIME.now = NOW + 2
    await store.end(session, Usage(audio_ms=60_000, session_ms=2000), DONE)
    assert (await only_session(store)).billed_ms == 60_000


async def test_the_balance_goes_down_with_use(store: Store, key: str) -> None:
    await store.management.update_account("default", balance_ms=10_000)
    session = await begin(store, key)
    TIME.now = NOW + 4
    await store.renew({session: Usage(audio_ms=3000, session_ms=4000)})
    assert (await account(store)).balance_ms == 6000
    TIME.now = NOW + 12
    await store.end(session, Usage(audio_ms=11_000, session_ms=12_000), DONE)
    assert (await account(store)).balance_ms == -2000
    assert await refusal(store, key) == f"Unauthorized Connection: {NO_BALANCE}"


async def test_sessions_of_several_accounts_are_renewed_together(
    store: Store, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("turnwire.accounts.leases.ENTERED_AT_ONCE", 2)
    manage = store.management
    await manage.create_account("other", balance_ms=100_000)
    await manage.update_account("default", balance_ms=100_000)
    keys = [key, key, await manage.create_key("other", name="")]
    sessions = [await begin(store, each) for each in keys]
    over = await begin(store, key)
    TIME.now = NOW + 1
    await store.end(over, Usage(session_ms=500), DONE)
    used = [1000, 2000, 4000]
    usages = {session: Usage(session_ms=ms) for session, ms in zip(sessions, used, strict=True)}
    TIME.now = NOW + 9
    await store.renew({**usages, over: Usage(session_ms=9000)})
    balances = {account.name: account.balance_ms for account in await manage.accounts()}
    assert balances == {"default": 100_000 - 500 - 1000 - 2000, "other": 100_000 - 4000}
    entries = await manage.sessions(account=None, only_open=True, limit=10)
    assert {entry.id: (entry.session_ms, entry.renewed_at) for entry in entries} == {
        session: (usage.session_ms, NOW + 9) for session, usage in usages.items()
    }


@pytest.fixture
def transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many have begun so far."""
    begun = 0
    real = store.database.begin

    def begin_counted() -> AbstractAsyncContextManager[AsyncSession]:
        nonlocal begun
        begun += 1
        return real()

    monkeypatch.setattr(store.database, "begin", begin_counted)
    return lambda: begun


async def test_clients_that_come_at_once_are_admitted_together_in_their_order(
    store: Store, key: str, transactions: Callable[[], int]
) -> None:
    await store.management.create_account("other", balance_ms=7000, sessions_per_minute=3)
    keys = [key, await store.management.create_key("other", name="")]
    once = await token(store, key)
    comers = [*keys * 3, once, "tw_nobody", once, None]
    before = transactions()
    outcomes = await asyncio.gather(
        *(granted(store, each) for each in comers), return_exceptions=True
    )
    assert transactions() - before < 4
    told = [each.funds if isinstance(each, Grant) else str(each) for each in outcomes]
    other = [Funds(5000, seconds_left=7.0), Funds(2000, last=True, seconds_left=3.5)]
    assert told == [
        *(None, other[0], None, other[1], None),
        f"Unauthorized Connection: {NO_BALANCE}",
        *(None, f"Unauthorized Connection: {INVALID}", f"Unauthorized Connection: {USED}"),
        MISSING_TEXT,
    ]


async def test_one_that_fails_at_the_door_leaves_nothing_and_stops_nobody(
    store: Store, key: str
) -> None:
    await store.management.update_account("default", sessions_per_minute=3, max_sessions=3)
    issued = await token(store, key)

    def full() -> None:
        raise Violation(NO_CAPACITY.fill())

    def broken() -> None:
        raise ZeroDivisionError

    comers = [
        store.begin("a", key),
        store.begin("b", issued, check=full),
        store.begin("c", issued, check=broken),
        store.begin("d", issued),
        store.begin("e", key),
    ]
    outcomes = await asyncio.gather(*comers, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [
        *(Grant, Violation, ZeroDivisionError, Grant, Grant)
    ]
    assert await refusal(store, key) == TOO_MANY_TEXT
    entries = await store.management.sessions(account=None, only_open=True, limit=10)
    assert {entry.id for entry in entries} == {"a", "d", "e"}


async def test_tokens_that_are_asked_for_at_once_are_made_together(
    store: Store, key: str, transactions: Callable[[], int]
) -> None:
    before = transactions()
    outcomes = await asyncio.gather(
        *(token(store, each) for each in [key, "tw_nobody", *[key] * 50]), return_exceptions=True
    )
    assert transactions() - before < 4
    assert isinstance(outcomes.pop(1), Violation)
    assert len(set(outcomes)) == 51
    for issued in outcomes[:3]:
        assert isinstance(issued, str)
        await begin(store, issued)


async def test_sessions_that_end_at_once_are_entered_together(
    store: Store, key: str, transactions: Callable[[], int]
) -> None:
    await store.management.update_account("default", balance_ms=1_000_000, sessions_per_minute=None)
    sessions = [await begin(store, key) for _ in range(100)]
    closures = [DONE, CLIENT_GONE.fill()] * 50
    before = transactions()
    ends = [
        asyncio.create_task(store.end(session, Usage(session_ms=number), closure))
        for number, (session, closure) in enumerate(zip(sessions, closures, strict=True))
    ]
    await asyncio.sleep(0)
    ends[0].cancel()  # nobody waits for it any more
    await asyncio.gather(*ends[1:])
    assert transactions() - before < 5
    entries = await store.management.sessions(account=None, only_open=False, limit=1000)
    assert {entry.id: (entry.ended_at, entry.closure) for entry in entries} == {
        session: (NOW, closure.row.name)
        for session, closure in zip(sessions, closures, strict=True)
    }
    assert (await account(store)).balance_ms == 1_000_000 - sum(range(100))


async def test_who_cannot_be_entered_is_told_and_the_next_are(
    store: Store, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = [await begin(store, key) for _ in range(3)]

    def fail() -> None:
        raise OSError("the database is gone")

    with monkeypatch.context() as broken:
        broken.setattr(store.database, "begin", fail)
        outcomes = await asyncio.gather(
            *(store.end(session, NO_USE, DONE) for session in sessions),
            return_exceptions=True,
        )
    assert [type(outcome) for outcome in outcomes] == [OSError] * 3
    await asyncio.gather(*(store.end(session, NO_USE, DONE) for session in sessions))
    assert await open_sessions(store) == 0


async def test_a_session_ends_once(store: Store, key: str) -> None:
    await store.management.update_account("default", balance_ms=10_000)
    session = await begin(store, key)
    TIME.now = NOW + 1
    await store.end(session, Usage(session_ms=1000), DONE)
    TIME.now = NOW + 5
    await store.end(session, Usage(session_ms=5000), CLIENT_GONE.fill())
    TIME.now = NOW + 6
    await store.renew({session: Usage(session_ms=6000)})
    entry = await only_session(store)
    assert (entry.ended_at, entry.closure, entry.billed_ms) == (NOW + 1, "session_ended", 1000)
    assert (await account(store)).balance_ms == 9000


async def test_sessions_at_once(store: Store, key: str) -> None:
    await store.management.update_account("default", max_sessions=50, sessions_per_minute=None)
    outcomes = await asyncio.gather(
        *(begin(store, key) for _ in range(200)), return_exceptions=True
    )
    sessions = [outcome for outcome in outcomes if isinstance(outcome, str)]
    refusals = [str(outcome) for outcome in outcomes if isinstance(outcome, Violation)]
    assert (len(sessions), refusals) == (50, [TOO_MANY_TEXT] * 150)
    assert await open_sessions(store) == 50
    await asyncio.gather(*(store.end(session, NO_USE, DONE) for session in sessions))
    assert await open_sessions(store) == 0


async def test_a_token_brought_by_many_at_once(store: Store, key: str) -> None:
    issued = await token(store, key)
    outcomes = await asyncio.gather(
        *(begin(store, issued) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    assert sum(USED in str(outcome) for outcome in outcomes) == 19


async def test_everything_at_once(store: Store, key: str) -> None:
    """No two transactions wait for each other."""

    async def one(number: int) -> None:
        issued = await token(store, key)
        session = await begin(store, issued if number % 2 else key)
        TIME.now = NOW + 1
        await store.renew({session: Usage(session_ms=1000)})
        await store.close_lost()
        TIME.now = NOW + 2
        await store.end(session, Usage(session_ms=2000), DONE)

    await store.management.update_account("default", balance_ms=1_000_000)
    await asyncio.gather(*map(one, range(50)))
    assert (await account(store)).balance_ms == 900_000


async def test_new_sessions_in_a_minute(store: Store, key: str) -> None:
    await store.management.update_account("default", sessions_per_minute=10)
    for minute, limit in enumerate([10, 11, 12]):
        now = NOW + 60 * minute
        for _ in range(limit):
            await begin(store, key, now)
        assert await refusal(store, key, now + 59.9) == TOO_MANY_TEXT
    # A clock that is set back a little gets no new minute.
    assert await refusal(store, key, NOW + 119.9) == TOO_MANY_TEXT
    # After an hour the limit is where it started.
    for _ in range(10):
        await begin(store, key, NOW + 3600)
    assert await refusal(store, key, NOW + 3600) == TOO_MANY_TEXT
    # A limit set anew starts a new minute.
    await store.management.update_account("default", sessions_per_minute=2)
    for _ in range(2):
        await begin(store, key, NOW + 3600)
    assert await refusal(store, key, NOW + 3600) == TOO_MANY_TEXT


async def test_limits_are_the_account_s_and_not_the_key_s(store: Store, key: str) -> None:
    manage = store.management
    await manage.update_account("default", max_sessions=1)
    second = await manage.create_key("default", name="second")
    await manage.create_account("other")
    elsewhere = await manage.create_key("other", name="")
    await begin(store, key)
    assert await refusal(store, second) == TOO_MANY_TEXT
    await begin(store, elsewhere)


async def test_a_lapsed_lease_frees_its_place(store: Store, key: str) -> None:
    await store.management.update_account("default", max_sessions=1)
    session = await begin(store, key)
    TIME.now = NOW + 10
    await store.renew({session: Usage(session_ms=10_000)})
    lapse = NOW + 10 + LEASE_SECONDS
    assert await refusal(store, key, lapse - 0.1) == TOO_MANY_TEXT
    await begin(store, key, lapse)


async def test_a_lapsed_lease_closes_the_session_as_lost(store: Store, key: str) -> None:
    session = await begin(store, key)
    TIME.now = NOW + 10
    await store.renew({session: Usage(audio_ms=8000, session_ms=10_000)})
    TIME.now = NOW + 9.9 + LEASE_SECONDS
    assert await store.close_lost() == 0
    TIME.now = NOW + 10 + LEASE_SECONDS
    assert await store.close_lost() == 1
    assert await store.close_lost() == 0
    entry = await only_session(store)
    assert (entry.ended_at, entry.closure) == (NOW + 10, "session_lost")
    assert (entry.audio_ms, entry.session_ms, entry.billed_ms) == (8000, 10_000, 10_000)


async def test_a_session_that_was_not_lost_after_all_ends(store: Store, key: str) -> None:
    await store.management.update_account("default", balance_ms=100_000)
    session = await begin(store, key)
    TIME.now = NOW + 10
    await store.renew({session: Usage(session_ms=10_000)})
    TIME.now = NOW + 60
    assert await store.close_lost() == 1
    TIME.now = NOW + 70
    await store.end(session, Usage(session_ms=70_000), DONE)
    entry = await only_session(store)
    assert (entry.ended_at, entry.closure, entry.billed_ms) == (NOW + 70, "session_ended", 70_000)
    assert (await account(store)).balance_ms == 30_000


async def test_a_session_that_was_not_lost_after_all_goes_on(store: Store, key: str) -> None:
    session = await begin(store, key)
    TIME.now = NOW + 60
    assert await store.close_lost() == 1
    TIME.now = NOW + 61
    await store.renew({session: Usage(session_ms=61_000)})
    assert await open_sessions(store) == 1
    entry = await only_session(store)
    assert (entry.ended_at, entry.closure, entry.billed_ms) == (None, None, 61_000)


async def test_a_client_that_is_gone_too_soon_breaks_nothing(store: Store, key: str) -> None:
    beginning = [asyncio.create_task(begin(store, key)) for _ in range(10)]
    await asyncio.sleep(0)
    for task in beginning:
        task.cancel()
    await asyncio.gather(*beginning, return_exceptions=True)
    await begin(store, key)


async def test_closing_waits_for_what_was_begun(lasting_url: str) -> None:
    store = await Store.open(lasting_url, node="here", clock=TIME)
    key = await store.management.create_first_account()
    beginning = asyncio.create_task(begin(store, key))
    await asyncio.sleep(0)
    beginning.cancel()
    await asyncio.sleep(0)
    await store.close()
    store = await Store.open(lasting_url, node="there", clock=TIME)
    assert await open_sessions(store) == 1
    await store.close()
