"""What OpenTelemetry is told of sessions."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tests.support import PATIENCE, TERMINATE, Server, chunks, loud, serving
from turnwire.assembly import extensions
from turnwire.server.settings import Settings, SettingsError
from turnwire.traces.extension import Traces, traces

RAW = "sample_rate=16000&speech_model=universal-streaming-english&format_turns=true"


@asynccontextmanager
async def traced(exporter: InMemorySpanExporter) -> AsyncIterator[Server]:
    async with serving(extend=[lambda service: Traces(service, exporter, "here")]) as server:
        yield server


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return {
        name.removeprefix("turnwire."): value for name, value in (span.attributes or {}).items()
    }


async def test_a_session_is_a_span_with_its_turns_and_without_its_words() -> None:
    exporter = InMemorySpanExporter()
    async with traced(exporter) as server:
        said = await server.converse(RAW, [*chunks(loud(1500)), TERMINATE])
        await server.converse(RAW, [], key="tw_wrong")
    session, refused = exporter.get_finished_spans()
    told = attributes(session)
    assert told["session"] == said.messages[0]["id"]
    assert (told["closure"], told["code"], told["turns"]) == ("session_ended", 1000, 1)
    assert (told["audio_seconds"], told["model"]) == (1.5, "universal-streaming-english")
    assert [event.name for event in session.events] == ["begin", "draining", "turn"]
    assert session.status.status_code is StatusCode.UNSET
    assert attributes(refused)["closure"] == "unauthorized"
    assert refused.status.status_code is StatusCode.ERROR
    everything = session.to_json() + refused.to_json()
    for secret in ("one two", "tw_wrong", server.key):
        assert secret not in everything


async def test_it_is_part_of_the_trace_of_its_client() -> None:
    exporter = InMemorySpanExporter()
    async with traced(exporter) as server:
        for parent in ("00-" + "a" * 32 + "-" + "b" * 16 + "-01", "nonsense"):
            connecting = server.connect(RAW)
            connecting.additional_headers = {"Authorization": server.key, "traceparent": parent}
            async with connecting as socket:
                await socket.send(TERMINATE)
                async for _ in socket:
                    pass
    ours, own = exporter.get_finished_spans()
    assert ours.context is not None
    assert ours.context.trace_id == int("a" * 32, 16)
    assert own.parent is None


async def test_a_collector_that_is_not_there_holds_nobody_up() -> None:
    nowhere = traces("http://127.0.0.1:1/v1/traces", node="here")
    async with asyncio.timeout(PATIENCE), serving(extend=[nowhere]) as server:
        assert (await server.converse(RAW, [TERMINATE])).code == 1000


def test_without_its_packages_a_server_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "turnwire.traces.extension", None)
    settings = Settings(otlp_endpoint="http://127.0.0.1:1", node="here")
    with pytest.raises(SettingsError, match="is not installed"):
        extensions(settings)
