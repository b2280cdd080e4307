"""`turnwire tokens`: for clients that must not see a key, such as browsers."""

from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.cli.managing import Account, manages
from turnwire.wire.limits import (
    LONGEST_SESSION_SECONDS,
    LONGEST_TOKEN_SECONDS,
    SHORTEST_SESSION_SECONDS,
)

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
            help="Seconds in which its session has to begin.",
            min=1,
            max=LONGEST_TOKEN_SECONDS,
            metavar="SECONDS",
        ),
    ] = 60,
    max_session_duration: Annotated[
        int,
        typer.Option(
            help="Seconds that its session may last.",
            min=SHORTEST_SESSION_SECONDS,
            max=LONGEST_SESSION_SECONDS,
            metavar="SECONDS",
        ),
    ] = LONGEST_SESSION_SECONDS,
) -> None:
    """Make a token and print it."""
    typer.echo(
        await management.create_token(
            account, expires_in=expires_in, max_seconds=max_session_duration
        )
    )
