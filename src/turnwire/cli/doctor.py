"""`turnwire doctor`: whether a server would run well here."""

import dataclasses
import json

import typer

from turnwire.cli.failures import needs_server
from turnwire.cli.managing import Json
from turnwire.cli.settings import takes_settings
from turnwire.cli.tables import show
from turnwire.server.settings import Settings


@takes_settings()
def doctor(
    settings: Settings,
    as_json: Json = False,
) -> None:
    """Look whether a server with these settings would run well here, and say what to do.

    It takes what `turnwire serve` takes, and changes nothing: it makes no file, fetches no model
    and migrates no database. The exit code is 1 if something is bad.
    """
    with needs_server():
        from turnwire.doctor.examination import examine
        from turnwire.doctor.findings import Grade

    findings = list(examine(settings))
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(each) for each in findings], indent=2))
    else:
        show(
            ("", "Check", "Finding", "What to do"),
            ((each.state, each.check, each.finding, each.advice) for each in findings),
        )
    if any(each.state is Grade.BAD for each in findings):
        raise typer.Exit(1)
