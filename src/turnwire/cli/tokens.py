"""`turnwire tokens`: for clients that must not see a key, such as browsers."""

from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.admin.views import NewToken
from turnwire.cli.managing import Account, manages
from turnwire.cli.outcomes import Secret
from turnwire.wire.limits import (
    LONGEST_SESSION_SECONDS,
    LONGEST_TOKEN_SECONDS,
    SHORTEST_SESSION_SECONDS,
)

if TYPE_CHECKING:
    from turnwire.admin.administration import Administration

app = typer.Typer(
    help="Temporary tokens, for clients that must not see a key.", no_args_is_help=True
)


@app.command()
@manages
async def create(
    admin: "Administration",
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
) -> Secret:
    """Make a token and print it."""
    new = NewToken(expires_in_seconds=expires_in, max_session_duration_seconds=max_session_duration)
    token = await admin.create_token(account, new)
    line = f"This token of the account {account} has to begin its session within {expires_in} s."
    return Secret(token.token, line, token)
