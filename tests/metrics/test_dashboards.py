"""Dashboard and alerts ask for metrics that exist; the runbook has an entry for each alert."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.metrics.test_metrics import Loaded, measured
from turnwire.metrics.together import together
from turnwire.server.siblings import Answers
from turnwire.wire.closures import CLOSURES

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
ALERTS = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]

BOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "turnwire.json").read_text())
PANELS: list[dict[str, Any]] = BOARD["panels"]

GRAFANAS_OWN = {"__rate_interval", "__interval", "__range"}

_NAME = re.compile(r"\b(?:turnwire|process|python)_[a-z_]+\b")
_LABEL = re.compile(r"\b(\w+)=~?\"|\bby \(([^)]*)\)")


def queries() -> Iterator[str]:
    for panel in PANELS:
        for target in panel.get("targets", ()):
            yield target["expr"]
    yield from (rule["expr"] for rule in ALERTS)


@pytest.fixture
async def text() -> str:
    async with measured(Loaded(), max_sessions=3) as server, server.http() as http:
        told = str((await http.get("/metrics")).text)
    # What only a server of several processes tells.
    more = [each.name for family in together({}, Answers()) for each in family.samples]
    return "\n".join((told, *more))


def test_every_query_asks_for_what_a_server_tells(text: str) -> None:
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    names = {line.split("{")[0].split(" ")[0] for line in samples}
    labels = {"job", "instance"} | set(re.findall(r"[{,](\w+)=", text))
    found = list(queries())
    assert len(found) > 30
    for query in found:
        assert set(_NAME.findall(query)) <= names, query
        for name, several in _LABEL.findall(query):
            asked = {name} if name else {each.strip() for each in several.split(",")}
            assert asked <= labels, query


def test_no_panel_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        x, y, w, h = (panel["gridPos"][side] for side in "xywh")
        cells = {(column, row) for column in range(x, x + w) for row in range(y, y + h)}
        assert max(cells)[0] < 24, panel["title"]
        assert not taken & cells, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


def test_what_a_panel_refers_to_is_there() -> None:
    variables = {each["name"] for each in BOARD["templating"]["list"]} | GRAFANAS_OWN
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(BOARD))) <= variables | {"__all"}
    for panel in PANELS:
        targets = panel.get("targets", [])
        assert len({target["refId"] for target in targets}) == len(targets), panel["title"]
        legends = {target["legendFormat"] for target in targets}
        for override in panel.get("fieldConfig", {}).get("overrides", []):
            assert override["matcher"]["id"] == "byName"
            assert override["matcher"]["options"] in legends, panel["title"]


def test_every_closure_that_a_query_names_is_a_row() -> None:
    rows = {row.name for row in CLOSURES}
    for query in queries():
        for matched in re.findall(r'closure=~?"([^"]*)"', query):
            assert set(matched.split("|")) <= rows


def test_the_runbook_has_an_entry_for_every_alert_and_every_row() -> None:
    headings = re.findall("^## (.*)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    alerts = [rule["alert"] for rule in ALERTS]
    assert sorted(headings) == sorted([*alerts, *(row.name for row in CLOSURES)])
    for rule in ALERTS:
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


@pytest.mark.skipif(not shutil.which("promtool"), reason="apt-get install prometheus")
@pytest.mark.parametrize(
    "check", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts-tests.yml"]]
)
def test_prometheus_reads_the_alerts_and_they_fire_when_they_should(check: list[str]) -> None:
    done = subprocess.run(
        ["promtool", *check], cwd=PROMETHEUS, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_made_to_fire() -> None:
    tests: Any = yaml.safe_load((PROMETHEUS / "alerts-tests.yml").read_text())["tests"]
    fired = {
        sample["labels"].split('"')[1]
        for test in tests
        for each in test.get("promql_expr_test", ())
        for sample in each["exp_samples"]
    }
    assert fired == {rule["alert"] for rule in ALERTS}
