"""`turnwire probe`: does a server end sessions as it should?"""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from turnwire.cli.failures import fail
from turnwire.cli.tables import show
from turnwire.client import ClientError
from turnwire.probe import reports
from turnwire.probe.checks import CHECKS, Check
from turnwire.probe.judging import Finding, Verdict
from turnwire.probe.observing import Target
from turnwire.probe.running import probe as run_probe

CANNOT_PROBE = 2


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JUNIT = "junit"


def probe(
    url: Annotated[
        str,
        typer.Argument(help="The server, such as ws://localhost:8080.", metavar="URL"),
    ],
    api_key: Annotated[
        str | None,
        typer.Option(envvar="TURNWIRE_API_KEY", help="Your key for that server.", show_envvar=True),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only this check; can be given several times.", metavar="NAME"),
    ] = None,
    format: Annotated[Format, typer.Option(help="How to write the outcome.")] = Format.TABLE,
) -> None:
    """See whether a server ends sessions as the closure table says.

    Works with any server of the protocol. Each closure that can be provoked from outside within
    seconds is provoked, on a connection of its own; nothing is loaded, and nothing waited for
    without end. A text that a server words differently around the documented one is right, and
    shown as "contained". The exit code is 1 if anything differs.
    """
    try:
        findings = asyncio.run(_probe(Target(url, api_key), _chosen(only)))
    except ClientError as error:
        fail(str(error), CANNOT_PROBE)
    match format:
        case Format.JSON:
            typer.echo(reports.as_json(url, findings))
        case Format.JUNIT:
            typer.echo(reports.as_junit(url, findings))
        case Format.TABLE:
            _show(findings)
    if any(finding.verdict is Verdict.DIFFERS for finding in findings):
        raise typer.Exit(1)


def _chosen(only: list[str] | None) -> tuple[Check, ...]:
    by_name = {check.name: check for check in CHECKS}
    for name in only or ():
        if name not in by_name:
            raise typer.BadParameter(
                f"There is no check {name!r}; there are {', '.join(by_name)}.", param_hint="--only"
            )
    return tuple(by_name[name] for name in only or by_name)


async def _probe(target: Target, checks: tuple[Check, ...]) -> list[Finding]:
    findings = []
    # Shows on a terminal only.
    with Console(stderr=True).status("Probing"):
        async for finding in run_probe(target, checks):
            findings.append(finding)
    return findings


def _show(findings: list[Finding]) -> None:
    show(
        ("Check", "Verdict", "Expected", "Observed", "Order", "Seconds"),
        (
            (
                finding.check.name,
                reports.verdict_line(finding),
                reports.expected_line(finding),
                reports.observed_line(finding),
                reports.order_line(finding),
                finding.seen.seconds if finding.seen else "",
            )
            for finding in findings
        ),
    )
