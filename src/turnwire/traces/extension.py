"""Sends spans to a collector, on a thread of its own."""

import asyncio

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from turnwire import __version__
from turnwire.server.extensions import Extend, Extension
from turnwire.server.observers import WatchedSession
from turnwire.server.service import Service
from turnwire.traces.spans import SessionSpan

MOST_EVENTS = 5000
"""Of one session. Turns of three hours are fewer."""

EXPORT_SECONDS = 5.0
"""How long a collector may take for a batch; a server that stops waits for the last one."""


class Traces(Extension):
    """What no collector takes is dropped, from some thousand spans on; no session waits for it."""

    def __init__(self, service: Service, exporter: SpanExporter, node: str) -> None:
        self._clock = service.clock
        self._provider = TracerProvider(
            resource=Resource.create({SERVICE_NAME: "turnwire", SERVICE_INSTANCE_ID: node}),
            span_limits=SpanLimits(max_events=MOST_EVENTS),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("turnwire", __version__)

    def watch(self, session: WatchedSession) -> SessionSpan:
        return SessionSpan(session, self._tracer, self._clock)

    async def aclose(self) -> None:
        await asyncio.to_thread(self._provider.shutdown)


def traces(endpoint: str, *, node: str) -> Extend:
    """Makes the extension of a server: `endpoint` is where its collector takes traces by HTTP."""

    def make(service: Service) -> Traces:
        return Traces(service, OTLPSpanExporter(endpoint, timeout=EXPORT_SECONDS), node)

    return make
