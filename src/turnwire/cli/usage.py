"""`turnwire usage`: what sessions came to."""

import csv
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turnwire.accounts.grouping import OPEN, By
from turnwire.cli.managing import manages
from turnwire.cli.tables import seconds, show

if TYPE_CHECKING:
    from turnwire.accounts.management import Management


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@manages
async def usage(
    management: "Management",
    account: Annotated[
        str | None, typer.Option(help="Only that of this account.", metavar="NAME")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            help="Only of sessions begun on that day (UTC) or later.",
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
        ),
    ] = None,
    format: Annotated[Format, typer.Option(help="How to write it.")] = Format.TABLE,
) -> None:
    """Add up sessions, by account and by how they ended."""
    day = None if since is None else since.replace(tzinfo=UTC).timestamp()
    rows = await management.usage([By.ACCOUNT, By.CLOSURE], account=account, since=day)
    _FORMATS[format](
        [
            {
                "account": row.group[By.ACCOUNT],
                "closure": row.group[By.CLOSURE] or OPEN,
                "sessions": row.sessions,
                "audio_seconds": seconds(row.audio_ms),
                "billed_seconds": seconds(row.billed_ms),
            }
            for row in rows
        ]
    )


_Rows = Sequence[dict[str, Any]]

_TITLES = {
    "account": "Account",
    "closure": "Closure",
    "sessions": "Sessions",
    "audio_seconds": "Audio, s",
    "billed_seconds": "Billed, s",
}


def _table(rows: _Rows) -> None:
    show(list(_TITLES.values()), [list(row.values()) for row in rows])


def _json(rows: _Rows) -> None:
    typer.echo(json.dumps(rows, indent=2))


def _csv(rows: _Rows) -> None:
    writer = csv.DictWriter(sys.stdout, _TITLES, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


_FORMATS: dict[Format, Callable[[_Rows], None]] = {
    Format.TABLE: _table,
    Format.JSON: _json,
    Format.CSV: _csv,
}
