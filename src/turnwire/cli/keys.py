"""`turnwire keys`: what clients prove themselves with."""

from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.cli.managing import Account, manages
from turnwire.cli.tables import moment, show

if TYPE_CHECKING:
    from turnwire.accounts.management import Management

app = typer.Typer(help="API keys, which clients prove themselves with.", no_args_is_help=True)


@app.command()
@manages
async def create(
    management: "Management",
    account: Account = "default",
    name: Annotated[str, typer.Option(help="What you will know it by.", metavar="TEXT")] = "",
) -> None:
    """Make a key and print it. It is not kept and cannot be shown again."""
    key = await management.create_key(account, name=name)
    try:
        typer.echo(key)
    except OSError:
        await management.take_back_key(key)
        raise


@app.command("list")
@manages
async def list_(management: "Management") -> None:
    """Show all keys, by what they begin with."""
    show(
        ("ID", "Account", "Name", "Begins with", "Created (UTC)", "Last used", "Revoked"),
        (
            (
                key.id,
                key.account.name,
                key.name,
                key.start,
                moment(key.created_at),
                moment(key.last_used_at),
                moment(key.revoked_at),
            )
            for key in await management.keys()
        ),
    )


@app.command()
@manages
async def revoke(
    management: "Management",
    id: Annotated[int, typer.Argument(help="As `turnwire keys list` shows it.", metavar="ID")],
) -> None:
    """Let nobody in with a key any more. Its open sessions end within seconds."""
    await management.revoke_key(id)
