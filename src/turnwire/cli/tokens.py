"""`turnwire tokens`: for clients that must not see a key, such as browsers."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.cli.managing import Account, manages

if TYPE_CHECKING:
    from turnwire.accounts.management import Management

app = typer.Typer(
    help="Temporary tokens, for clients that must not see a key.", no_args_is_help=True
)


@app.command()
@manages
async def create(
    management: "Management",
    account: Account = "default",
    expires_in: Annotated[
        int,
        typer.Option(
            help="Seconds in which its session has to begin.", min=1, max=600, metavar="SECONDS"
        ),
    ] = 60,
    max_session_duration: Annotated[
        int,
        typer.Option(
            help="Seconds that its session may last.", min=60, max=10_800, metavar="SECONDS"
        ),
    ] = 10_800,
) -> None:
    """Make a token and print it."""
    typer.echo(
        await management.create_token(
            account, expires_in=expires_in, max_seconds=max_session_duration, now=time.time()
        )
    )
