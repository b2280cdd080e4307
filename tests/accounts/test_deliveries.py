"""Webhooks that several servers keep in one database."""

import asyncio

import pytest

from tests.accounts.conftest import TIME
from turnwire.accounts.admin_keys import AdminKeys
from turnwire.accounts.errors import NotFound, NotNow
from turnwire.accounts.presence import Presence
from turnwire.accounts.store import Store
from turnwire.webhooks.deliveries import (
    ATTEMPTS,
    CLAIM_SECONDS,
    LISTED_SECONDS,
    PAUSES,
    Attempt,
    Deliveries,
    Parcel,
    PostResult,
)

DELIVERED = PostResult(200, None)
FAILED = PostResult(None, "It hung up.", again=True)


def parcel(session: str, account: str = "default") -> Parcel:
    return Parcel(session, account, "https://example.com/x", ("A", "secret"), "{}")


async def test_each_delivery_is_taken_by_one_server_and_lapses_if_that_dies(
    lasting_url: str,
) -> None:
    stores = [await Store.open(lasting_url, node=name, clock=TIME) for name in "ab"]
    await stores[0].management.create_account("default")
    nodes = [Deliveries(store.database) for store in stores]
    for number in range(10):
        await nodes[0].keep(parcel(f"s{number}"))

    async def take_all(node: Deliveries) -> list[Attempt]:
        taken = []
        while (attempt := await node.take(not_of=())) is not None:
            taken.append(attempt)
        return taken

    a, b = await asyncio.gather(*map(take_all, nodes))
    assert sorted(each.session_id for each in (*a, *b)) == [f"s{number}" for number in range(10)]
    assert len({each.secret for each in (*a, *b)}) == 1
    TIME.now += CLAIM_SECONDS
    again = await take_all(nodes[1])
    assert [each.number for each in again] == [2] * 10
    # The first one, which was only slow, may still deliver, and the second fail after that.
    assert not await nodes[0].note(next(each for each in a or b), DELIVERED)
    for each in again:
        await nodes[1].note(each, FAILED)
    states = [each.state for each in await nodes[0].newest(limit=100)]
    assert (states.count("delivered"), states.count("waiting")) == (1, 9)
    for store in stores:
        await store.close()


async def test_it_is_given_up_after_ten_attempts_and_forgotten_later(memory_store: Store) -> None:
    deliveries = Deliveries(memory_store.database, lambda: 0.0)
    await memory_store.management.create_account("default")
    await deliveries.keep(parcel("s"))
    for pause in (*PAUSES, 0.0):
        attempt = await deliveries.take(not_of=())
        assert attempt is not None
        assert (await deliveries.note(attempt, FAILED)) is (pause > 0)
        assert await deliveries.take(not_of=()) is None
        TIME.now += pause
    [one] = await deliveries.newest(account="default", limit=1)
    assert (one.state, one.attempts, one.last_error) == ("failed", ATTEMPTS, "It hung up.")
    with pytest.raises(NotNow):
        await deliveries.retry(one.id)
    TIME.now += LISTED_SECONDS
    await deliveries.prune()
    assert await deliveries.newest(limit=1) == []


async def test_what_failed_together_does_not_all_come_again_together(memory_store: Store) -> None:
    chances = iter((0.0, 0.5, 1.0))
    deliveries = Deliveries(memory_store.database, lambda: next(chances))
    await memory_store.management.create_account("default")
    for session in "abc":
        await deliveries.keep(parcel(session))
    for _ in range(3):
        attempt = await deliveries.take(not_of=())
        assert attempt is not None
        await deliveries.note(attempt, FAILED)
    due = [each.next_at for each in await deliveries.newest(limit=3)]
    assert due == pytest.approx([TIME.now + 5, TIME.now + 4.5, TIME.now + 4])


async def test_who_asks_and_is_gone_too_soon_breaks_nothing(memory_store: Store) -> None:
    deliveries, keys = Deliveries(memory_store.database), AdminKeys(memory_store.database)
    await memory_store.management.create_account("default")
    presence = Presence(memory_store.database)
    for ask in (
        lambda: deliveries.newest(limit=1),
        lambda: deliveries.secret("default"),
        lambda: keys.identify("a key"),
        lambda: keys.valid(1),
        presence.nodes,
    ):
        # Each of the moments in which it may be.
        for turns in range(12):
            asking = asyncio.create_task(ask())
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
    assert [each.name for each in await memory_store.management.accounts()] == ["default"]


async def test_one_that_kills_each_server_is_given_up(memory_store: Store) -> None:
    deliveries = Deliveries(memory_store.database)
    await memory_store.management.create_account("default")
    await deliveries.keep(parcel("s"))
    for _ in range(ATTEMPTS):
        assert await deliveries.take(not_of=()) is not None
        TIME.now += CLAIM_SECONDS
    assert await deliveries.take(not_of=()) is None
    [one] = await deliveries.newest(limit=1)
    assert (one.state, one.next_at) == ("failed", None)


async def test_a_retry_is_due_now_and_a_clock_that_was_ahead_holds_nothing_back(
    memory_store: Store,
) -> None:
    deliveries = Deliveries(memory_store.database)
    await memory_store.management.create_account("default")
    await deliveries.keep(parcel("s"))
    attempt = await deliveries.take(not_of=())
    assert attempt is not None
    await deliveries.note(attempt, FAILED)
    assert await deliveries.take(not_of=()) is None
    await deliveries.retry(attempt.id)
    assert await deliveries.take(not_of=[attempt.account_id]) is None
    assert await deliveries.take(not_of=()) is not None
    with pytest.raises(NotFound):
        await deliveries.retry("msg_of_nobody")
    TIME.now -= 10 * 365 * 24 * 3600
    assert await deliveries.take(not_of=()) is not None


async def test_a_secret_stays_until_a_new_one_is_asked_for(memory_store: Store) -> None:
    deliveries = Deliveries(memory_store.database)
    await memory_store.management.create_account("default")
    secret = await deliveries.secret("default")
    assert await deliveries.secret("default") == secret
    assert await deliveries.secret("default", new=True) != secret
    with pytest.raises(NotFound):
        await deliveries.secret("nobody")
