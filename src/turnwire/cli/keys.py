"""`turnwire keys`: what clients prove themselves with."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.admin.views import Key
from turnwire.cli.managing import Account, manages
from turnwire.cli.outcomes import Listing, Said, Secret, one_page
from turnwire.cli.tables import moment

if TYPE_CHECKING:
    from turnwire.admin.administration import Administration

app = typer.Typer(help="API keys, which clients prove themselves with.", no_args_is_help=True)

HEAD = ("ID", "Account", "Name", "Begins with", "Created (UTC)", "Last used", "Revoked")


@app.command()
@manages
async def create(
    admin: "Administration",
    account: Account = "default",
    name: Annotated[str, typer.Option(help="What you will know it by.", metavar="TEXT")] = "",
) -> Secret:
    """Make a key and print it. It is not kept and cannot be shown again."""
    key = await admin.create_key(account, name)
    line = f"This is key {key.id} of the account {key.account}, shown this once."
    return Secret(key.key, line, key, undo=partial(admin.take_back_key, key))


@app.command("list")
@manages
async def list_(
    admin: "Administration",
    account: Annotated[
        str | None, typer.Option(help="Only those of this account.", metavar="NAME")
    ] = None,
) -> Listing[Key]:
    """Show all keys, by what they begin with."""
    return Listing(HEAD, _row, one_page(admin.keys(account)))


def _row(key: Key) -> tuple[str | float, ...]:
    return (
        key.id,
        key.account,
        key.name,
        key.start,
        moment(key.created_at),
        moment(key.last_used_at),
        moment(key.revoked_at),
    )


@app.command()
@manages
async def revoke(
    admin: "Administration",
    id: Annotated[int, typer.Argument(help="As `turnwire keys list` shows it.", metavar="ID")],
) -> Said:
    """Let nobody in with a key any more. Its open sessions end within seconds."""
    key = await admin.revoke_key(id)
    return Said(
        f"Revoked key {key.id} of the account {key.account}; its open sessions end within seconds.",
        key,
    )
