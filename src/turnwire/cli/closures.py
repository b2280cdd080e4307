"""`turnwire closures`: every way a session can end."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from turnwire.cli.tables import show
from turnwire.wire.catalogue import closure_rows


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


def closures(
    format: Annotated[Format, typer.Option(help="How to write it.")] = Format.TABLE,
) -> None:
    """Show every way a session can end."""
    rows = closure_rows()
    if format is Format.JSON:
        typer.echo(json.dumps(rows, indent=2))
        return
    show(
        ("Code", "Name", "Text", "Retry", "What happened"),
        (
            (row["code"], row["name"], row["text"], _retry(row["retry_after"]), row["meaning"])
            for row in rows
        ),
    )


def _retry(after: float | None) -> str:
    if after is None:
        return "no"
    return f"after {after:g} s" if after else "at once"
