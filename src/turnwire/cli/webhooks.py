"""`turnwire webhooks`: what is posted to the addresses that clients gave."""

from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.cli.managing import Account, manages_what
from turnwire.cli.outcomes import Listing, Said, Secret, one_page
from turnwire.cli.tables import NOTHING, moment
from turnwire.webhooks.administration import (
    MOST_LISTED,
    DeliveryAdministration,
    Listed,
    Retried,
    SigningSecret,
)

if TYPE_CHECKING:
    from turnwire.accounts.database import Database
    from turnwire.admin.client import AdminApi

app = typer.Typer(
    help="Webhooks: transcripts posted to addresses that clients gave.", no_args_is_help=True
)

HEAD = ("ID", "Account", "Session", "Host", "State", "Attempts", "Next (UTC)", "What came last")


def _stored(database: "Database") -> DeliveryAdministration:
    from turnwire.webhooks.deliveries import Deliveries

    return Deliveries(database)


def _remote(api: "AdminApi") -> DeliveryAdministration:
    from turnwire.webhooks.remote import RemoteDeliveries

    return RemoteDeliveries(api)


_manages = manages_what(_stored, _remote)


@app.command("list")
@_manages
async def list_(
    deliveries: DeliveryAdministration,
    account: Annotated[
        str | None, typer.Option(help="Only those of this account.", metavar="NAME")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=MOST_LISTED)] = 20,
) -> Listing[Listed]:
    """Show the newest deliveries, and what came of them."""
    return Listing(HEAD, _row, one_page(deliveries.newest(account=account, limit=limit)))


def _row(each: Listed) -> tuple[str | float, ...]:
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
@_manages
async def retry(
    deliveries: DeliveryAdministration,
    id: Annotated[str, typer.Argument(help="As `turnwire webhooks list` shows it.", metavar="ID")],
) -> Said:
    """Have a delivery that waits for its next attempt posted within seconds."""
    await deliveries.retry(id)
    return Said(f"Delivery {id} is tried again within seconds.", Retried(id=id))


@app.command()
@_manages
async def secret(
    deliveries: DeliveryAdministration,
    account: Account = "default",
    new: Annotated[
        bool, typer.Option("--new", help="Make a new one; the one before signs nothing more.")
    ] = False,
) -> Secret:
    """Print what an account's webhooks are signed with, for whoever receives them."""
    secret = await deliveries.secret(account, new=new)
    line = f"The webhooks of the account {account} are signed with this."
    return Secret(secret, line, SigningSecret(account=account, secret=secret))
