"""`turnwire accounts`: who may open sessions, and what they may have."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.accounts.rate import START
from turnwire.cli.managing import manages
from turnwire.cli.tables import UNLIMITED, limit, seconds, show

if TYPE_CHECKING:
    from turnwire.accounts.management import Management, Terms

app = typer.Typer(help="Who may open sessions, and what they may have.", no_args_is_help=True)

LARGEST = 2**31 - 1
"""What every database holds in an integer."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as it was given; None stands for "unlimited"."""

    value: int | None


def _from(least: int) -> Callable[[str], Limit]:
    def parse(text: str) -> Limit:
        if text == UNLIMITED:
            return Limit(None)
        if text.isascii() and text.isdecimal() and least <= int(text) <= LARGEST:
            return Limit(int(text))
        raise typer.BadParameter(
            f"{text!r} is neither {UNLIMITED} nor a whole number from {least} to {LARGEST}."
        )

    return parse


Name = Annotated[str, typer.Argument(metavar="NAME")]
Balance = Annotated[
    Limit | None,
    typer.Option(
        help="Seconds of sessions that are paid for.",
        parser=_from(0),
        metavar=f"SECONDS|{UNLIMITED}",
    ),
]
MaxSessions = Annotated[
    Limit | None,
    typer.Option(help="Sessions at once.", parser=_from(1), metavar=f"N|{UNLIMITED}"),
]
SessionsPerMinute = Annotated[
    Limit | None,
    typer.Option(
        help="New sessions a minute to start with; the limit grows by a tenth after each minute "
        "in which 70 % of it was used.",
        parser=_from(1),
        metavar=f"N|{UNLIMITED}",
    ),
]


@app.command(
    help=f"Make an account. It may open {START} new sessions a minute, and has no other limit, "
    "unless you give one. `turnwire keys create` makes keys for it."
)
@manages
async def create(
    management: "Management",
    name: Name,
    balance: Balance = None,
    max_sessions: MaxSessions = None,
    sessions_per_minute: SessionsPerMinute = None,
) -> None:
    terms = _terms(balance, max_sessions, sessions_per_minute)
    await management.create_account(name, **terms)


@app.command("list")
@manages
async def list_(management: "Management") -> None:
    """Show all accounts."""
    show(
        ("Name", "Enabled", "Balance, s", "Sessions", "New a minute"),
        (
            (
                account.name,
                "yes" if account.enabled else "no",
                limit(None if account.balance_ms is None else seconds(account.balance_ms)),
                limit(account.max_sessions),
                limit(account.sessions_per_minute),
            )
            for account in await management.accounts()
        ),
    )


@app.command()
@manages
async def update(
    management: "Management",
    name: Name,
    enable: Annotated[
        bool | None,
        typer.Option(
            "--enable/--disable", help="Whether it may open sessions.", show_default=False
        ),
    ] = None,
    balance: Balance = None,
    max_sessions: MaxSessions = None,
    sessions_per_minute: SessionsPerMinute = None,
) -> None:
    """Change what an account may have; what is not given stays as it is."""
    terms = _terms(balance, max_sessions, sessions_per_minute)
    if enable is not None:
        terms["enabled"] = enable
    await management.update_account(name, **terms)


def _terms(
    balance: Limit | None, max_sessions: Limit | None, sessions_per_minute: Limit | None
) -> "Terms":
    terms: Terms = {}
    if balance is not None:
        terms["balance_ms"] = None if balance.value is None else 1000 * balance.value
    if max_sessions is not None:
        terms["max_sessions"] = max_sessions.value
    if sessions_per_minute is not None:
        terms["sessions_per_minute"] = sessions_per_minute.value
    return terms
