"""`turnwire admin`: the keys of operators, who use the admin API and the console."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel

from turnwire.cli.failures import needs_server
from turnwire.cli.managing import manages_database
from turnwire.cli.outcomes import Listing, Said, Secret, one_page
from turnwire.cli.tables import moment

if TYPE_CHECKING:
    from turnwire.accounts import tables
    from turnwire.accounts.admin_keys import AdminKeys
    from turnwire.accounts.database import Database

app = typer.Typer(
    help="Admin keys, for the admin API and the console. They open no session.",
    no_args_is_help=True,
)

HEAD = ("ID", "Name", "Begins with", "Created (UTC)", "Last used", "Revoked")


class AdminKey(BaseModel):
    id: int
    name: str
    start: str
    created_at: float
    last_used_at: float | None
    revoked_at: float | None


class CreatedAdminKey(AdminKey):
    key: str


@app.command("create-key")
@manages_database
async def create_key(
    database: "Database",
    name: Annotated[str, typer.Option(help="Whose it is.", metavar="TEXT")] = "",
) -> Secret:
    """Make an admin key and print it. It is not kept and cannot be shown again."""
    keys = _keys(database)
    key, secret = await keys.create(name)
    view = CreatedAdminKey(**_view(key).model_dump(), key=secret)
    line = f"This is admin key {key.id}, shown this once: it may do all that an operator may."
    return Secret(secret, line, view, undo=partial(keys.revoke, key.id))


@app.command("list-keys")
@manages_database
async def list_keys(database: "Database") -> Listing[AdminKey]:
    """Show all admin keys, by what they begin with."""
    return Listing(HEAD, _row, one_page(_all(database)))


async def _all(database: "Database") -> list[AdminKey]:
    return [_view(key) for key in await _keys(database).all()]


@app.command("revoke-key")
@manages_database
async def revoke_key(
    database: "Database",
    id: Annotated[
        int, typer.Argument(help="As `turnwire admin list-keys` shows it.", metavar="ID")
    ],
) -> Said:
    """Let nobody in with an admin key any more; consoles that it opened close within seconds."""
    key = await _keys(database).revoke(id)
    return Said(f"Revoked admin key {key.id}.", _view(key))


def _keys(database: "Database") -> "AdminKeys":
    with needs_server():
        from turnwire.accounts.admin_keys import AdminKeys
    return AdminKeys(database)


def _view(key: "tables.AdminKey") -> AdminKey:
    return AdminKey.model_validate(key, from_attributes=True)


def _row(key: AdminKey) -> tuple[str | float, ...]:
    return (
        key.id,
        key.name,
        key.start,
        moment(key.created_at),
        moment(key.last_used_at),
        moment(key.revoked_at),
    )
