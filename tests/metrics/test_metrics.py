"""What Prometheus is told of a server: its sessions, its engine, its accounts."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from tests.support import TERMINATE, Server, chunks, loud, quiet, serving
from turnwire.accounts.admission import Usage
from turnwire.metrics.extension import metrics
from turnwire.metrics.sessions import SessionMetrics
from turnwire.metrics.together import together
from turnwire.server.siblings import Answers
from turnwire.session import effects
from turnwire.session.events import AudioReceived, Connected, Tick
from turnwire.speech.echo import EchoEngine
from turnwire.speech.engine import EngineLoad
from turnwire.transport.networks import Networks
from turnwire.transport.request import Request
from turnwire.wire.closure import Closure
from turnwire.wire.messages import Turn, Word

RAW = "sample_rate=16000&speech_model=universal-streaming-english"


@asynccontextmanager
async def measured(engine: EchoEngine | None = None, **options: Any) -> AsyncIterator[Server]:
    accounts = options.pop("accounts", False)
    async with serving(engine, extend=[metrics(accounts=accounts)], **options) as server:
        yield server


async def scrape(server: Server) -> dict[str, float]:
    """The samples, by their name with labels as in `name{label}`."""
    async with server.http() as http:
        response = await http.get("/metrics")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        sample.name + "".join(f"{{{value}}}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def test_sessions_are_counted_by_where_they_stand_and_how_they_ended() -> None:
    async with measured() as server:
        before = await scrape(server)
        assert before["turnwire_sessions_ended_total{session_expired}"] == 0
        assert before["turnwire_sessions_refused_total{unauthorized}"] == 0
        assert "turnwire_sessions_refused_total{session_expired}" not in before
        async with server.connect(RAW) as socket:
            await socket.recv()
            during = await scrape(server)
            assert [during[f"turnwire_sessions{{{state}}}"] for state in ("opening", "open")] == [
                0,
                1,
            ]
        await server.converse(RAW, [*chunks(loud(1000)), TERMINATE])
        await server.converse(RAW, key="nobody")
        after = await scrape(server)
    assert after["turnwire_sessions{open}"] == 0
    assert after["turnwire_sessions{draining}"] == 0
    assert after["turnwire_sessions_ended_total{session_ended}"] == 1
    assert after["turnwire_sessions_ended_total{client_gone}"] == 1
    assert after["turnwire_sessions_refused_total{unauthorized}"] == 1
    assert after["turnwire_audio_seconds_total"] == 1.0
    assert after["turnwire_admission_seconds_count"] == 2
    assert after["turnwire_turn_latency_seconds_count"] == 1
    assert after["turnwire_ledger_up"] == 1
    assert after["turnwire_ready"] == 1
    assert after["process_open_fds"] > 0


class Listener:
    """A session that has had so much audio, and has lasted so long."""

    id = "someone"
    grant = None
    request = Request(method="GET", target="/v3/ws", version="1.1", headers=())

    def __init__(self) -> None:
        self.used = Usage()

    def usage(self) -> Usage:
        return self.used

    def drain(self, closure: Closure) -> None:
        raise AssertionError("metrics only watch")


def turn(*, end: int, order: int = 0, final: bool = True) -> effects.Send:
    word = Word(start=0, end=end, text="yes", confidence=1.0, word_is_final=final)
    return effects.Send(
        Turn(
            turn_order=order,
            turn_is_formatted=False,
            end_of_turn=final,
            transcript="yes",
            end_of_turn_confidence=0.9,
            words=(word,),
        )
    )


def test_latency_counts_from_the_end_of_the_word_as_the_audio_came() -> None:
    registry = CollectorRegistry()
    session = Listener()
    watch = SessionMetrics(registry, accounts=False).watch(session)

    def told(text: str) -> list[float]:
        name = f"turnwire_{text}_latency_seconds"
        values = (registry.get_sample_value(f"{name}_{each}") for each in ("count", "sum"))
        return [round(value or 0.0, 3) for value in values]

    # Two seconds of audio have come, the last of it at 12.0, and a word ended 0.4 s before.
    session.used = Usage(audio_ms=2000, session_ms=2100)
    watch.observe(AudioReceived(b""), [], now=12.0)
    watch.observe(Tick(), [turn(end=1600, final=False)], now=12.0)
    assert told("partial") == [1, 0.4]
    watch.observe(Tick(), [turn(end=1600)], now=12.5)
    assert told("turn") == [1, 0.9]
    watch.observe(Tick(), [turn(end=1600)], now=12.6)
    assert told("turn") == [1, 0.9], "the turn once more, formatted, is the same turn"
    session.used = Usage(audio_ms=9000, session_ms=2700)
    watch.observe(Tick(), [turn(end=5000, order=1)], now=12.7)
    assert told("turn") == [1, 0.9], "audio ahead of real time says nothing"


def test_latency_is_not_told_of_a_recording_that_is_heard_slower_than_it_was_spoken() -> None:
    registry = CollectorRegistry()
    session = Listener()
    watch = SessionMetrics(registry, accounts=False).watch(session)
    watch.observe(Connected(), [effects.Admit(recording=True)], now=0.0)
    session.used = Usage(audio_ms=40_000, session_ms=60_000)
    watch.observe(AudioReceived(b""), [], now=60.0)
    watch.observe(Tick(), [turn(end=9000, final=False), turn(end=10_000)], now=60.0)
    for text in ("turn", "partial"):
        assert registry.get_sample_value(f"turnwire_{text}_latency_seconds_count") == 0


async def test_accounts_are_named_only_where_that_is_asked_for() -> None:
    for accounts in (False, True):
        async with measured(accounts=accounts) as server:
            await server.converse(RAW, [*chunks(quiet(500)), TERMINATE])
            told = await scrape(server)
            assert told.get("turnwire_account_audio_seconds_total{default}") == (
                0.5 if accounts else None
            )
            assert told.get("turnwire_account_sessions{default}") == (0 if accounts else None)


class Loaded(EchoEngine):
    """Says that it has much to do."""

    def load(self) -> EngineLoad:  # type: ignore[override]
        return EngineLoad(
            threads=2,
            resources=[],
            spent_on_finals=3.0,
            behind=0.5,
            quality="narrow search",
            spent_on_partials=1.0,
            waiting_finals=4,
            waiting_partials=5,
            batches={1: 10, 3: 2},
        )


async def test_the_engine_tells_what_it_does_and_leaves_out() -> None:
    async with measured(Loaded()) as server:
        told = await scrape(server)
    assert told["turnwire_engine_quality"] == 4
    assert told["turnwire_engine_cpu_seconds_total{final}"] == 3.0
    assert told["turnwire_engine_cpu_seconds_total{partial}"] == 1.0
    assert told["turnwire_engine_waiting{final}"] == 4
    assert told["turnwire_engine_waiting{partial}"] == 5
    assert told["turnwire_engine_batch_size_count"] == 12
    assert told["turnwire_engine_batch_size_sum"] == 16
    assert told["turnwire_engine_batch_size_bucket{2.0}"] == 10
    assert told["turnwire_engine_batch_size_bucket{4.0}"] == 12


async def test_the_page_lists_them_all() -> None:
    async with measured(Loaded(), accounts=True, max_sessions=3) as server:
        await server.converse(RAW, [TERMINATE])
        async with server.http() as http:
            text = (await http.get("/metrics")).text
    told = set(re.findall("^# TYPE (turnwire_[a-z_]+) ", text, re.MULTILINE))
    told |= {
        f"{each.name}_total" if each.type == "counter" else each.name
        for each in together({}, Answers())
    }
    page = Path(__file__).parents[2] / "docs" / "metrics.md"
    assert told == set(re.findall("^[|] `(turnwire_[a-z_]+)`", page.read_text(), re.MULTILINE))


class Broken(EchoEngine):
    def load(self) -> None:
        raise RuntimeError("the engine does not say")


async def test_a_scrape_that_fails_harms_no_session() -> None:
    async with measured(Broken()) as server, server.connect(RAW) as socket:
        await socket.recv()
        async with server.http() as http:
            assert (await http.get("/metrics")).status_code == 500
        await socket.send(TERMINATE)
        async for _ in socket:
            pass
        assert socket.close_code == 1000


@pytest.mark.parametrize(
    ("readers", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("10.0.0.0/8", {}, 403),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.7"}, 403),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1, 203.0.113.7"}, 403),
        ("203.0.113.0/24", {"x-forwarded-for": "203.0.113.7"}, 200),
    ],
)
async def test_only_clients_of_the_networks_named_are_told(
    readers: str, headers: dict[str, str], status: int
) -> None:
    async with (
        serving(extend=[metrics(readers=Networks.parse(readers))]) as server,
        server.http(headers=headers) as http,
    ):
        assert (await http.get("/metrics")).status_code == status


async def test_what_comes_through_a_proxy_that_is_not_trusted_is_nobody_s() -> None:
    async with (
        serving(extend=[metrics()], proxies=Networks(())) as server,
        server.http(headers={"x-forwarded-for": "127.0.0.1"}) as http,
    ):
        assert (await http.get("/metrics")).status_code == 403
