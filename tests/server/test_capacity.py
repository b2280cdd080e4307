"""How many sessions a server takes, by what they cost, and how it says so."""

import asyncio
from dataclasses import replace

import pytest

from tests.support import ManualClock, serving
from turnwire.server.capacity import Capacity
from turnwire.server.lag import LoopLag
from turnwire.speech.echo import EchoEngine
from turnwire.speech.engine import EngineLoad, Resource
from turnwire.wire.closures import NO_CAPACITY

CORES = Resource(2.0, usable=0.7, expected=0.02, spent=0.0)
EVENT_LOOP = Resource(1.0, usable=0.5, expected=0.001, spent=0.0)


class CostlyEngine(EchoEngine):
    """Two cores, of which a session in conversation takes 2 %, and a loop of which it takes 0.1."""

    def __init__(self) -> None:
        super().__init__()
        self.now = EngineLoad(2, [CORES, EVENT_LOOP], spent_on_finals=0.0, behind=0.0)

    def load(self) -> EngineLoad:  # type: ignore[override]
        return self.now

    def spend(self, seconds: float, of_loop: float = 0.0) -> None:
        spent = zip(self.now.resources, (seconds, of_loop), strict=True)
        self.now = replace(
            self.now, resources=[replace(each, spent=each.spent + more) for each, more in spent]
        )


@pytest.fixture
def engine() -> CostlyEngine:
    return CostlyEngine()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_before_any_session_it_goes_by_what_the_engine_expects(
    engine: CostlyEngine, clock: ManualClock
) -> None:
    assert Capacity(engine, clock).limit() == 70


def test_an_engine_that_costs_nothing_has_no_limit(clock: ManualClock) -> None:
    assert Capacity(EchoEngine(), clock).limit() is None


@pytest.mark.parametrize(
    ("each", "limits"),
    # Dictation, at twice the cost of conversation; and microphones that nobody speaks to.
    [(0.04, range(35, 40)), (0.0, range(600, 800))],
)
def test_what_sessions_really_cost_counts_more_and_more(
    engine: CostlyEngine, clock: ManualClock, each: float, limits: range
) -> None:
    capacity = Capacity(engine, clock)
    capacity.changed(20)
    seen = [capacity.limit()]
    for _ in range(10):
        clock.advance(60)
        engine.spend(20 * 60 * each)
        seen.append(capacity.limit())
    assert seen == sorted(seen, key=lambda limit: limit or 0, reverse=each > 0)
    assert seen[-1] in limits


def test_what_there_is_least_of_says_how_many_there_may_be(
    engine: CostlyEngine, clock: ManualClock
) -> None:
    capacity = Capacity(engine, clock)
    capacity.changed(20)
    for _ in range(10):
        clock.advance(60)
        engine.spend(20 * 60 * 0.001, of_loop=20 * 60 * 0.01)
    assert (capacity.limit() or 0) in range(50, 60)


def test_recordings_are_sessions_but_tell_nothing_of_what_one_costs(
    engine: CostlyEngine, clock: ManualClock
) -> None:
    capacity = Capacity(engine, clock)
    capacity.changed(60, recordings=50)
    clock.advance(600)
    engine.spend(10 * 600 * 0.02)
    assert capacity.limit() in (69, 70)


def test_what_was_long_ago_is_forgotten(engine: CostlyEngine, clock: ManualClock) -> None:
    capacity = Capacity(engine, clock)
    capacity.changed(20)
    clock.advance(600)
    engine.spend(20 * 600 * 0.1)
    assert (capacity.limit() or 0) < 30
    capacity.changed(0)
    clock.advance(2 * 3600)
    assert capacity.limit() in (69, 70)


def test_an_engine_that_is_behind_takes_nobody(engine: CostlyEngine, clock: ManualClock) -> None:
    capacity = Capacity(engine, clock)
    capacity.changed(3)
    engine.now = replace(engine.now, behind=1.5)
    assert capacity.limit() == 3


async def test_a_session_there_is_no_capacity_for_is_refused(
    engine: CostlyEngine, clock: ManualClock
) -> None:
    engine.now = replace(engine.now, resources=[replace(CORES, expected=0.7), EVENT_LOOP])
    capacity = Capacity(engine, clock)
    async with (
        serving(engine, clock=clock, capacity=capacity) as server,
        server.http() as http,
        server.connect() as first,
        server.connect() as second,
    ):
        assert "Begin" in str(await first.recv())
        assert "Begin" in str(await second.recv())
        health = (await http.get("/health")).json()
        assert (health["sessions"], health["max_sessions"]) == (2, 2)
        refused = await server.converse()
        assert refused.code == NO_CAPACITY.code == 1013
        # Sessions that cost nothing leave room for more.
        clock.advance(300)
        assert (await http.get("/health")).json()["max_sessions"] == 4
        async with server.connect() as third:
            assert "Begin" in str(await third.recv())


async def test_an_event_loop_that_is_kept_from_its_work_is_seen(clock: ManualClock) -> None:
    lag = LoopLag()
    watching = asyncio.create_task(lag.watch(clock))

    async def go_on(seconds: float) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        clock.advance(seconds)
        for _ in range(3):
            await asyncio.sleep(0)

    await go_on(0.02)
    assert lag.worst == 0.0
    await go_on(0.52)  # in one go: what was due after 20 ms comes 500 ms late
    assert lag.worst == pytest.approx(0.5)
    for _ in range(61 * 50):
        await go_on(0.02)
    assert lag.worst == pytest.approx(0.0)
    watching.cancel()
    await asyncio.wait([watching])


async def test_health_tells_how_long_the_event_loop_was_blocked() -> None:
    async with serving() as server, server.http() as http:
        server.service.lag.note(0.0125, at=0.0)
        assert (await http.get("/health")).json()["event_loop_lag_ms"] >= 12.5
