"""A chart of figures that were written with `--json`: how late turns end, by sessions at once."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from turnwire.bench import BenchError
from turnwire.bench.chart import SERIES, Line, line_chart
from turnwire.bench.measuring import LATE_SECONDS

Key = tuple[str, float]
"""A model, and how much of the audio is speech."""


def plot(paths: Sequence[Path]) -> str:
    """The chart of these files, as SVG. Raises `BenchError`."""
    measured: dict[Key, dict[int, tuple[float, float]]] = {}
    machines: dict[str, None] = {}
    for path in paths:
        figures = _read(path)
        try:
            for step in figures.get("steps", [figures]):
                late = step["beyond_silence"]
                if late is not None:
                    sessions = measured.setdefault((step["model"], step["duty"]), {})
                    sessions[step["sessions"]] = (late["p50"], late["p95"])
            machine = figures["machine"]
            machines[f"{machine['cpu']}, {machine['cores']} cores, {machine['date']}"] = None
        except (KeyError, TypeError, AttributeError):
            raise BenchError(
                f"{path} is not what `turnwire bench --json` or `--find-capacity` writes."
            ) from None
    if not measured:
        raise BenchError("No turn ended in any of these runs.")
    if len(measured) > len(SERIES):
        raise BenchError(
            f"These are {len(measured)} models and kinds of load; a chart has {len(SERIES)}."
        )
    return line_chart(
        "How late turns end, by sessions at once",
        "; ".join([" and ".join(dict.fromkeys(model for model, _ in measured)), *machines]),
        "sessions at once",
        "milliseconds beyond the silence that ends a turn",
        [
            Line(f"{name}, {_load(key, measured)}", points, colour, lower=column == 0)
            for colour, (key, sessions) in enumerate(measured.items())
            for column, name in enumerate(("p50", "p95"))
            if (points := [(number, sessions[number][column]) for number in sorted(sessions)])
        ],
        (1000 * LATE_SECONDS, "in real time: every turn within a second"),
    )


def _load(key: Key, measured: dict[Key, Any]) -> str:
    model, duty = key
    said = [model] if len({model for model, _ in measured}) > 1 else []
    return " ".join([*said, "all speaking" if duty == 1 else f"{100 * duty:g} % speech"])


def _read(path: Path) -> dict[str, Any]:
    try:
        figures = json.loads(path.read_text())
    except OSError as wrong:
        raise BenchError(f"Cannot read {path}: {wrong.strerror}.") from None
    except ValueError:
        raise BenchError(f"{path} is not JSON.") from None
    if not isinstance(figures, dict):
        raise BenchError(f"{path} has no figures.")
    return figures
