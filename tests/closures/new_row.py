"""A program in which the closure table has one row more: says where it turns up, as JSON."""

import json
import sys

from turnwire.wire import closures
from turnwire.wire.closure import ClosureRow, Kind, Phase

ROW = ClosureRow(
    name="out_of_ink",
    code=3042,
    template="Out of ink: {color} is missing",
    kind=Kind.ERROR,
    phase=Phase.SESSION,
    drains=True,
    meaning="The printer has no ink.",
    advice="Buy some.",
    how_to_trigger="Print a lot.",
    retry_after=2,
    example={"color": "blue"},
)
closures.CLOSURES = (*closures.CLOSURES, ROW)

# What is derived from the table is derived when it is imported.
sys.path.insert(0, sys.argv[1])
import generate  # type: ignore[import-not-found]  # noqa: E402
from prometheus_client import CollectorRegistry, generate_latest  # noqa: E402

from turnwire.client import errors  # noqa: E402
from turnwire.client.closures import row_of  # noqa: E402
from turnwire.metrics.sessions import SessionMetrics  # noqa: E402
from turnwire.probe.checks import Check  # noqa: E402
from turnwire.probe.judging import Verdict, judge  # noqa: E402
from turnwire.probe.observing import Observation  # noqa: E402
from turnwire.rehearsal.menu import as_json  # noqa: E402
from turnwire.wire.catalogue import closure_rows  # noqa: E402

TEXT = ROW.for_example().text


def labels() -> list[str]:
    """The metrics that have a series for the row before any session ended by it."""
    registry = CollectorRegistry()
    SessionMetrics(registry, accounts=False)
    series = generate_latest(registry).decode().splitlines()
    return [line.partition("_total")[0] for line in series if line.endswith('="out_of_ink"} 0.0')]


def verdict(text: str) -> Verdict:
    """What a probe says of a server that ends a session with the row's code and this text."""
    check = Check(name="no_ink", row=ROW, details=ROW.example)
    closed = Observation(["Begin", "Error"], ROW.code, text, ROW.code, text)
    return judge(check, closed).verdict


print(  # noqa: T201
    json.dumps(
        {
            "exception": vars(errors)["OutOfInk"].__base__.__name__,
            "written": "\nclass OutOfInk(ErrorClosure): ..." in list(generate.exceptions()),
            "page": "## out_of_ink" in list(generate.closures()),
            "menu": "out_of_ink" in json.dumps(as_json("ws://server")),
            "catalogue": closure_rows()[-1]["name"],
            "client": row_of(3042, TEXT).name,
            "metrics": labels(),
            "probe": [
                verdict(text)
                for text in (TEXT, "sorry, OUT OF INK: red is missing!", "Out of paper")
            ],
        }
    )
)
