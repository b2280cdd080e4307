"""`turnwire accounts`: who may open sessions, and what they may have."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turnwire.accounts.rate import START
from turnwire.admin.views import LARGEST, Account, NewAccount, NewTopUp, Terms, TopUp
from turnwire.cli.managing import manages
from turnwire.cli.outcomes import Listing, Said, one_page
from turnwire.cli.tables import UNLIMITED, limit, moment

if TYPE_CHECKING:
    from turnwire.admin.administration import Administration

app = typer.Typer(help="Who may open sessions, and what they may have.", no_args_is_help=True)

HEAD = ("Name", "Enabled", "Balance, s", "Sessions", "New a minute", "Open")


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
    admin: "Administration",
    name: Name,
    balance: Balance = None,
    max_sessions: MaxSessions = None,
    sessions_per_minute: SessionsPerMinute = None,
) -> Said:
    terms = _terms(balance, max_sessions, sessions_per_minute)
    account = await admin.create_account(NewAccount(name=name, **terms))
    return Said(f"Made the account {_described(account)}", account)


@app.command("list")
@manages
async def list_(admin: "Administration") -> Listing[Account]:
    """Show all accounts."""
    return Listing(HEAD, _row, one_page(admin.accounts()))


def _row(account: Account) -> tuple[str | float, ...]:
    return (
        account.name,
        "yes" if account.enabled else "no",
        limit(account.balance_seconds),
        limit(account.max_sessions),
        limit(account.sessions_per_minute),
        account.open_sessions,
    )


@app.command()
@manages
async def update(
    admin: "Administration",
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
) -> Said:
    """Change what an account may have; what is not given stays as it is."""
    terms = _terms(balance, max_sessions, sessions_per_minute)
    if enable is not None:
        terms["enabled"] = enable
    account = await admin.update_account(name, Terms(**terms))
    return Said(f"Changed the account {_described(account)}", account)


@app.command("top-up")
@manages
async def top_up(
    admin: "Administration",
    name: Name,
    seconds: Annotated[
        float,
        typer.Argument(
            help="How much to add; after --, less than 0 takes away.",
            min=-LARGEST,
            max=LARGEST,
            metavar="SECONDS",
        ),
    ],
    reason: Annotated[
        str, typer.Option(help="Why, such as the number of an invoice.", metavar="TEXT")
    ],
) -> Said:
    """Add to the balance of an account."""
    done = await admin.top_up(name, NewTopUp(seconds=seconds, reason=reason))
    return Said(
        f"Added {done.seconds:g} s to the balance of {name}; it is {done.balance_after:g} s now.",
        done,
    )


@app.command("top-ups")
@manages
async def top_ups(admin: "Administration", name: Name) -> Listing[TopUp]:
    """Show what was added to the balance of an account, newest first."""
    return Listing(
        ("At (UTC)", "Added, s", "Balance, s", "Reason"),
        lambda each: (moment(each.at), each.seconds, each.balance_after, each.reason),
        one_page(admin.top_ups(name)),
    )


@app.command()
@manages
async def delete(admin: "Administration", name: Name) -> Said:
    """Let go of an account without open sessions, and revoke its keys.

    The ledger keeps its sessions, and so its name is not free again.
    """
    account = await admin.account(name)
    await admin.delete_account(name)
    return Said(f"Deleted the account {name}; the ledger keeps its sessions and its name.", account)


def _described(account: Account) -> str:
    balance = account.balance_seconds
    return (
        f"{account.name}: {'enabled' if account.enabled else 'disabled'}, "
        f"balance {UNLIMITED if balance is None else f'{balance:g} s'}, "
        f"sessions at once {limit(account.max_sessions)}, "
        f"new ones a minute {limit(account.sessions_per_minute)}."
    )


def _terms(
    balance: Limit | None, max_sessions: Limit | None, sessions_per_minute: Limit | None
) -> dict[str, Any]:
    given = {
        "balance_seconds": balance,
        "max_sessions": max_sessions,
        "sessions_per_minute": sessions_per_minute,
    }
    return {name: each.value for name, each in given.items() if each is not None}
