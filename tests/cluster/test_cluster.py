"""Two nodes behind a proxy, with one database: what holds on one holds over both, and outlives
either of them. The tests are in an order: the last ones kill and replace nodes."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import httpx

from tests.accounts import postgresql
from tests.cluster.cluster import Cluster, Node
from tests.cluster.conftest import NewKey
from tests.cluster.sessions import WORDS_A_SECOND, Outcome, dictated, spoken, talk
from tests.cluster.sizes import SIZES
from turnwire.accounts.management import Management


async def test_limits_are_exact_over_all_nodes(cluster: Cluster, new_key: NewKey) -> None:
    key = await new_key(max_sessions=SIZES.limit)
    # Longer than it takes until the last has come.
    outcomes = await asyncio.gather(
        *(spoken(cluster.url, key, seconds=SIZES.limit / 4) for _ in range(2 * SIZES.limit))
    )
    assert Counter((outcome.begun, outcome.code) for outcome in outcomes) == {
        (True, 1000): SIZES.limit,
        (False, 3009): SIZES.limit,
    }


async def test_a_token_opens_one_session_on_whichever_node(
    cluster: Cluster, new_key: NewKey
) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        answer = await http.get(
            f"{cluster.url.replace('ws', 'http', 1)}/v3/token?expires_in_seconds=60",
            headers={"Authorization": await new_key()},
        )
    token = answer.json()["token"]
    outcomes = await asyncio.gather(*(spoken(cluster.url, token, seconds=1) for _ in range(60)))
    assert Counter((outcome.code, outcome.reason) for outcome in outcomes) == {
        (1000, "Session Ended"): 1,
        (1008, "Unauthorized Connection: Token has already been used"): 59,
    }


async def test_a_clock_that_is_ahead_frees_no_slot(cluster: Cluster, new_key: NewKey) -> None:
    right, ahead = cluster.nodes
    for first, second in ((right, ahead), (ahead, right)):
        key = await new_key(max_sessions=1)
        async with talk(first.url, key) as holding:
            await holding.begun()
            assert (await spoken(second.url, key, seconds=1)).code == 3009


async def test_sessions_outlive_the_database(
    cluster: Cluster, new_key: NewKey, server: Path, management: Management
) -> None:
    key = await new_key("paying", balance_ms=3_600_000)
    begun = time.monotonic()
    async with talk(cluster.url, key) as going_on, talk(cluster.url, key) as ending:
        await asyncio.gather(going_on.begun(), ending.begun())
        await asyncio.to_thread(postgresql.kill, server)
        try:
            await until_ready(cluster, 503)
            assert (await spoken(cluster.nodes[0].url, key, seconds=1)).code == 1011
            await asyncio.gather(going_on.speak(1), ending.speak(1))
            assert await ending.end() == Outcome(True, WORDS_A_SECOND, 1000, "Session Ended")
            await asyncio.sleep(SIZES.outage_seconds - (time.monotonic() - begun))
        finally:
            await asyncio.to_thread(postgresql.start, server)
        await until_ready(cluster, 200)
        await asyncio.to_thread(cluster.until_known, up=2)
        await going_on.speak(1)
        assert await going_on.end() == Outcome(True, 2 * WORDS_A_SECOND, 1000, "Session Ended")
    while await management.sessions(account="paying", only_open=True, limit=2):
        await asyncio.sleep(0.1)
    sessions = await management.sessions(account="paying", only_open=False, limit=3)
    assert [session.closure for session in sessions] == ["session_ended"] * 2
    billed = sum(session.billed_ms for session in sessions)
    [account] = [each for each in await management.accounts() if each.name == "paying"]
    assert account.balance_ms == 3_600_000 - billed


async def test_a_killed_node_costs_no_word_and_its_slots_are_free_after_a_lease(
    cluster: Cluster, new_key: NewKey, management: Management
) -> None:
    seconds = 5
    many, lonely = await new_key(), await new_key("lonely", max_sessions=1)
    staying, doomed = cluster.nodes
    async with talk(doomed.url, lonely) as lost:
        await lost.begun()
        dictating = [
            asyncio.create_task(dictated(cluster.url, many, seconds=seconds))
            for _ in range(SIZES.dictations)
        ]
        while len(await open_on(doomed, management)) < SIZES.dictations // 2:
            await asyncio.sleep(0.05)
        await asyncio.sleep(seconds / 3)
        await asyncio.to_thread(doomed.kill)
        while not (await spoken(staying.url, lonely, seconds=1)).begun:
            await asyncio.sleep(0.5)
        words = await asyncio.gather(*dictating)
    assert words == [seconds * WORDS_A_SECOND] * SIZES.dictations
    next_, before = await management.sessions(account="lonely", only_open=False, limit=2)
    assert (before.node, next_.node) == (doomed.name, staying.name)
    # 15 s, and what a test that asks now and then takes until it finds out.
    assert 15 <= next_.begun_at - before.renewed_at < 20


async def test_a_rolling_replacement_ends_no_session(cluster: Cluster, new_key: NewKey) -> None:
    key = await new_key()
    done = asyncio.Event()
    outcomes: list[Outcome] = []

    async def call() -> None:
        while not done.is_set():
            outcomes.append(await spoken(cluster.url, key, seconds=SIZES.session_seconds))

    first, second = cluster.nodes
    calling = [asyncio.create_task(call()) for _ in range(SIZES.callers)]
    await asyncio.to_thread(started, cluster, second)
    assert await asyncio.to_thread(first.stop) == 0
    await asyncio.to_thread(started, cluster, first)
    assert await asyncio.to_thread(second.stop) == 0
    done.set()
    await asyncio.gather(*calling)
    assert Counter((outcome.words, outcome.code) for outcome in outcomes) == {
        (SIZES.session_seconds * WORDS_A_SECOND, 1000): len(outcomes)
    }
    assert await asyncio.to_thread(first.stop) == 0


def started(cluster: Cluster, node: Node) -> None:
    """Have a node running, and known to the proxy."""
    if node.process is None:
        node.start()
        node.until_started()
    cluster.until_known(up=2)


async def open_on(node: Node, management: Management) -> list[str]:
    open_ = await management.sessions(account=None, only_open=True, limit=1000)
    return [session.id for session in open_ if session.node == node.name]


async def until_ready(cluster: Cluster, status: int) -> None:
    """Until all nodes answer so whether they are ready."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        for node in cluster.nodes:
            while (await http.get(f"http://127.0.0.1:{node.port}/ready")).status_code != status:
                await asyncio.sleep(0.1)
