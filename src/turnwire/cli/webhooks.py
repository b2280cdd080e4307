"""`turnwire webhooks`: what is posted to the addresses that clients gave."""

from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.cli.managing import Account, opens_database
from turnwire.cli.tables import NOTHING, moment, show

if TYPE_CHECKING:
    from turnwire.accounts.database import Database

app = typer.Typer(
    help="Webhooks: transcripts posted to addresses that clients gave.", no_args_is_help=True
)


@app.command("list")
@opens_database
async def list_(
    database: "Database",
    account: Annotated[
        str | None, typer.Option(help="Only those of this account.", metavar="NAME")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1)] = 20,
) -> None:
    """Show the newest deliveries, and what came of them."""
    from turnwire.webhooks.deliveries import Deliveries

    found = await Deliveries(database).newest(account=account, limit=limit)
    show(
        ("ID", "Account", "Session", "Host", "State", "Attempts", "Next (UTC)", "What came last"),
        (
            (
                each.id,
                each.account,
                each.session_id,
                each.host,
                each.state,
                each.attempts,
                moment(each.next_at),
                each.last_error or str(each.last_status or NOTHING),
            )
            for each in found
        ),
    )


@app.command()
@opens_database
async def retry(
    database: "Database",
    id: Annotated[str, typer.Argument(help="As `turnwire webhooks list` shows it.", metavar="ID")],
) -> None:
    """Have a delivery that waits for its next attempt posted within seconds."""
    from turnwire.webhooks.deliveries import Deliveries

    await Deliveries(database).retry(id)


@app.command()
@opens_database
async def secret(
    database: "Database",
    account: Account = "default",
    new: Annotated[
        bool, typer.Option("--new", help="Make a new one; the one before signs nothing more.")
    ] = False,
) -> None:
    """Print what an account's webhooks are signed with, for whoever receives them."""
    from turnwire.webhooks.deliveries import Deliveries

    typer.echo(await Deliveries(database).secret(account, new=new))
