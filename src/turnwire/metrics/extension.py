"""`GET /metrics`."""

import asyncio
from collections.abc import Iterable, Sequence

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    GCCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from turnwire.metrics.server import ServerState
from turnwire.metrics.sessions import SessionMetrics, SessionWatch
from turnwire.metrics.together import together
from turnwire.server.extensions import Extend, Extension
from turnwire.server.forwarding import caller
from turnwire.server.observers import WatchedSession
from turnwire.server.service import Service
from turnwire.transport.networks import LOOPBACK, Networks

NOT_FROM_THERE = (
    "Metrics are told to this machine, and to the networks that the setting metrics_from names."
)

METRICS = "metrics"
"""What processes of one server ask each other: what each would say by itself."""


class Metrics(Extension):
    """The metrics of one server, kept by themselves: a process may have several servers."""

    def __init__(self, service: Service, *, readers: Networks, accounts: bool) -> None:
        self._readers = readers
        self._siblings = service.siblings
        self._siblings.answer(METRICS, self._tell)
        self._registry = CollectorRegistry()
        self._sessions = SessionMetrics(self._registry, accounts=accounts)
        self._registry.register(ServerState(service))
        # They read files, so they are asked on another thread.
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        GCCollector(registry=self._process)

    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/metrics", self._answer)]

    def watch(self, session: WatchedSession) -> SessionWatch:
        return self._sessions.watch(session)

    async def _answer(self, request: Request) -> Response:
        if caller(request) not in self._readers:
            return JSONResponse({"error": NOT_FROM_THERE}, 403)
        if self._siblings.number is None:
            text = await self._own()
        else:
            answers, own = await asyncio.gather(self._siblings.ask(METRICS), self._own())
            texts = {**answers.texts, self._siblings.number: own.decode()}
            text = await asyncio.to_thread(
                lambda: generate_latest(_Collected(together(texts, answers)))
            )
        return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def _own(self) -> bytes:
        """Those of this process."""
        families = list(self._registry.collect())
        return await asyncio.to_thread(self._text, families)

    async def _tell(self, _: str) -> str:
        return (await self._own()).decode()

    def _text(self, families: Iterable[Metric]) -> bytes:
        return generate_latest(_Collected([*families, *self._process.collect()]))


class _Collected(Collector):
    """What was collected, without the moments at which counters were made: nobody reads those."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        for family in self._families:
            family.samples = [each for each in family.samples if not each.name.endswith("_created")]
            yield family


def metrics(*, readers: Networks = LOOPBACK, accounts: bool = False) -> Extend:
    """Makes the extension of a server.

    `readers` may read them; with `accounts` some are told for each account, by its name.
    """
    return lambda service: Metrics(service, readers=readers, accounts=accounts)
