"""The metrics of several processes as those of one server: each sample with its worker's number."""

from collections.abc import Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families

from turnwire.server.siblings import Answers

LABEL = "worker"


def together(texts: Mapping[int, str], answers: Answers) -> Iterable[Metric]:
    """What each said, by its number, in Prometheus' text format; and how many did."""
    families: dict[str, Metric] = {}
    for number in sorted(texts):
        for family in text_string_to_metric_families(texts[number]):
            known = families.setdefault(family.name, family)
            samples = [
                each._replace(labels={**each.labels, LABEL: str(number)}) for each in family.samples
            ]
            known.samples = samples if known is family else [*known.samples, *samples]
    yield from families.values()
    yield GaugeMetricFamily(
        "turnwire_workers", "Processes that the server should have.", value=answers.workers
    )
    yield GaugeMetricFamily(
        "turnwire_workers_answering", "Those of them that answered just now.", value=len(texts)
    )
    yield CounterMetricFamily(
        "turnwire_worker_deaths",
        "Processes that died and were started again.",
        value=answers.deaths,
    )
