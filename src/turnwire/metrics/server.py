"""What is read from a server when Prometheus asks: its engine, its queues, its accounts."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from turnwire import __version__
from turnwire.server.service import Service
from turnwire.speech.engine import EngineLoad
from turnwire.speech.quality import LADDER

RUNGS = {quality.name: rung for rung, quality in enumerate(LADDER)}

BATCH_SIZES = (1, 2, 4, 8, 16, 32)


class ServerState(Collector):
    """A collector. It is to be asked on the server's event loop."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterable[Metric]:
        yield InfoMetricFamily(
            "turnwire",
            "The server's version and model.",
            value={"version": __version__, "model": self._service.engine.name},
        )
        yield from self._sessions()
        yield from self._queues()
        yield from self._accounts()
        load = self._service.engine.load()
        if load is not None:
            yield from _engine(load)

    def _sessions(self) -> Iterator[Metric]:
        service = self._service
        yield GaugeMetricFamily(
            "turnwire_ready",
            "Whether new sessions may come, as /ready says.",
            value=service.not_ready() is None,
        )
        limit = service.session_limit
        if limit is not None:
            yield GaugeMetricFamily(
                "turnwire_max_sessions", "How many sessions there may be now.", value=limit
            )
        yield GaugeMetricFamily(
            "turnwire_decoder_processes",
            "Processes that decode compressed audio.",
            value=service.decoders.open_decoders,
        )

    def _queues(self) -> Iterator[Metric]:
        service = self._service
        yield GaugeMetricFamily(
            "turnwire_event_loop_lag_seconds",
            "The longest that something due had to wait for the event loop, in the last minute.",
            value=service.lag.worst,
        )
        yield GaugeMetricFamily(
            "turnwire_held_audio_bytes",
            "Audio that the engine has not come to.",
            value=service.held_audio.held,
        )
        yield GaugeMetricFamily(
            "turnwire_held_audio_limit_bytes",
            "How much of it there may be.",
            value=service.held_audio.limit,
        )

    def _accounts(self) -> Iterator[Metric]:
        leases = self._service.leases
        yield GaugeMetricFamily(
            "turnwire_ledger_up",
            "Whether the accounts' database answered when it was asked last.",
            value=leases.reachable,
        )
        yield GaugeMetricFamily(
            "turnwire_ledger_renewal_seconds",
            "How long it took to renew all leases the last time that this worked.",
            value=leases.renewal_took,
        )
        yield GaugeMetricFamily(
            "turnwire_ledger_unentered_sessions",
            "Sessions that ended and could not be entered in the ledger yet.",
            value=leases.unentered,
        )


def _engine(load: EngineLoad) -> Iterator[Metric]:
    yield GaugeMetricFamily("turnwire_engine_threads", "Threads that decode.", value=load.threads)
    yield GaugeMetricFamily(
        "turnwire_engine_quality",
        "What the engine leaves out: "
        + ", ".join(f"{rung} {name}" for name, rung in RUNGS.items())
        + ".",
        value=RUNGS[load.quality],
    )
    yield GaugeMetricFamily(
        "turnwire_engine_behind_seconds",
        "How long the next final text has been waiting for a thread.",
        value=load.behind,
    )
    cpu = CounterMetricFamily(
        "turnwire_engine_cpu_seconds",
        "CPU that decoding took, or on a GPU the time for which threads were occupied; divided by "
        "turnwire_audio_seconds it is the real-time factor.",
        labels=["kind"],
    )
    cpu.add_metric(["final"], load.spent_on_finals)
    cpu.add_metric(["partial"], load.spent_on_partials)
    cpu.add_metric(["recording"], load.spent_on_recordings)
    yield cpu
    waiting = GaugeMetricFamily(
        "turnwire_engine_waiting", "Decodes that have not begun.", labels=["kind"]
    )
    waiting.add_metric(["final"], load.waiting_finals)
    waiting.add_metric(["partial"], load.waiting_partials)
    waiting.add_metric(["recording"], load.waiting_recordings)
    yield waiting
    yield HistogramMetricFamily(
        "turnwire_engine_batch_size",
        "Decodes that were made together.",
        buckets=list(_cumulative(load.batches)),
        sum_value=sum(size * count for size, count in load.batches.items()),
    )


def _cumulative(batches: Mapping[int, int]) -> Iterator[tuple[str, float]]:
    """How many batches have at most 1, 2, 4, ... decodes."""
    for most in BATCH_SIZES:
        yield str(float(most)), sum(count for size, count in batches.items() if size <= most)
    yield "+Inf", sum(batches.values())
