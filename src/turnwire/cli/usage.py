"""`turnwire usage`: how many sessions there were, how long, and what was billed for them."""

import csv
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.accounts.grouping import By
from turnwire.admin.views import Usage, UsageFilter
from turnwire.cli.managing import manages
from turnwire.cli.moments import Since, Until, unix_time
from turnwire.cli.outcomes import Listing, Outcome, one_page
from turnwire.cli.tables import NOTHING

if TYPE_CHECKING:
    from turnwire.admin.administration import Administration

TITLES = {
    "day": "Day (UTC)",
    "account": "Account",
    "key": "Key",
    "key_name": "Name",
    "closure": "Closure",
    "sessions": "Sessions",
    "audio_seconds": "Audio, s",
    "session_seconds": "Time, s",
    "billed_seconds": "Billed, s",
}
FIGURES = ("sessions", "audio_seconds", "session_seconds", "billed_seconds")
"""What is added up."""


@manages
async def usage(
    admin: "Administration",
    by: Annotated[
        list[By] | None,
        typer.Option(
            help="What to add up by; may be given more than once. [default: account, closure]",
            show_default=False,
        ),
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="Only that of this account.", metavar="NAME")
    ] = None,
    since: Since = None,
    until: Until = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV, for spreadsheets.")] = False,
) -> Outcome:
    """Add up sessions, by account and by how they ended unless you say otherwise."""
    by = list(dict.fromkeys(by or [By.ACCOUNT, By.CLOSURE]))
    which = UsageFilter(by=by, account=account, since=unix_time(since), until=unix_time(until))
    columns = [name for each in by for name in _COLUMNS[each]] + list(FIGURES)
    if as_csv:
        return Csv(columns, await admin.usage(which))
    return Listing(
        [TITLES[name] for name in columns],
        lambda row: [_cell(getattr(row, name)) for name in columns],
        one_page(admin.usage(which)),
    )


_COLUMNS = {
    By.DAY: ["day"],
    By.ACCOUNT: ["account"],
    By.KEY: ["key", "key_name"],
    By.CLOSURE: ["closure"],
}


def _cell(value: str | float | None) -> str | float:
    return NOTHING if value is None else value


@dataclass(frozen=True, slots=True)
class Csv:
    columns: list[str]
    rows: list[Usage]

    async def tell(self, *, as_json: bool) -> None:
        if as_json:
            raise typer.BadParameter("It is CSV or JSON.", param_hint="--csv")
        writer = csv.DictWriter(sys.stdout, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            row.model_dump(mode="json", include=set(self.columns)) for row in self.rows
        )
