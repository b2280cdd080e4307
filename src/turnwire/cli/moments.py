"""Points in time, as options of a command."""

from datetime import UTC, datetime
from typing import Annotated

import typer

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]

_METAVAR = "YYYY-MM-DD[THH:MM[:SS]]"

Since = Annotated[
    datetime | None,
    typer.Option(
        help="Only sessions begun then (UTC) or later.", formats=_FORMATS, metavar=_METAVAR
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option(help="Only sessions begun before (UTC).", formats=_FORMATS, metavar=_METAVAR),
]


def unix_time(given: datetime | None) -> float | None:
    return None if given is None else given.replace(tzinfo=UTC).timestamp()
