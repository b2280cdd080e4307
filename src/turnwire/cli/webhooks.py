"""`turnwire webhooks`: what is posted to the addresses that clients gave."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.cli.managing import Account, manages_database
from turnwire.cli.outcomes import Listing, Said, Secret, one_page
from turnwire.cli.tables import NOTHING, moment

if TYPE_CHECKING:
    from turnwire.accounts.database import Database
    from turnwire.webhooks.deliveries import Listed

app = typer.Typer(
    help="Webhooks: transcripts posted to addresses that clients gave.", no_args_is_help=True
)

HEAD = ("ID", "Account", "Session", "Host", "State", "Attempts", "Next (UTC)", "What came last")


@dataclass(frozen=True, slots=True)
class Retried:
    id: str


@dataclass(frozen=True, slots=True)
class SigningSecret:
    account: str
    secret: str


@app.command("list")
@manages_database
async def list_(
    database: "Database",
    account: Annotated[
        str | None, typer.Option(help="Only those of this account.", metavar="NAME")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1)] = 20,
) -> "Listing[Listed]":
    """Show the newest deliveries, and what came of them."""
    from turnwire.webhooks.deliveries import Deliveries

    return Listing(HEAD, _row, one_page(Deliveries(database).newest(account=account, limit=limit)))


def _row(each: "Listed") -> tuple[str | float, ...]:
    return (
        each.id,
        each.account,
        each.session_id,
        each.host,
        each.state,
        each.attempts,
        moment(each.next_at),
        each.last_error or str(each.last_status or NOTHING),
    )


@app.command()
@manages_database
async def retry(
    database: "Database",
    id: Annotated[str, typer.Argument(help="As `turnwire webhooks list` shows it.", metavar="ID")],
) -> Said:
    """Have a delivery that waits for its next attempt posted within seconds."""
    from turnwire.webhooks.deliveries import Deliveries

    await Deliveries(database).retry(id)
    return Said(f"Delivery {id} is tried again within seconds.", Retried(id))


@app.command()
@manages_database
async def secret(
    database: "Database",
    account: Account = "default",
    new: Annotated[
        bool, typer.Option("--new", help="Make a new one; the one before signs nothing more.")
    ] = False,
) -> Secret:
    """Print what an account's webhooks are signed with, for whoever receives them."""
    from turnwire.webhooks.deliveries import Deliveries

    secret = await Deliveries(database).secret(account, new=new)
    line = f"The webhooks of the account {account} are signed with this."
    return Secret(secret, line, SigningSecret(account, secret))
