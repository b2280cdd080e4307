"""`turnwire init`: the database and its first key, before any server."""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.cli.failures import fail, needs_server
from turnwire.cli.first_key import KeyNotShown, on_terminal, write_key
from turnwire.cli.settings import takes_settings
from turnwire.server.settings import Settings, SettingsError

if TYPE_CHECKING:
    from turnwire.accounts.management import Management

NO_PLACE = (
    "Standard output is no terminal, and what goes there may end in a log: name a file for the "
    "first API key with --key-file."
)

KeyFile = Annotated[
    Path | None,
    typer.Option(
        help="Write the first key to this new file, which only its owner may read.", metavar="PATH"
    ),
]


@takes_settings("data_dir", "database")
def init(settings: Settings, key_file: KeyFile = None) -> None:
    """Make the database or bring it up to date, and make its first API key.

    The key is shown on the terminal, once, or written to --key-file. If there are keys, none is
    made, so this may be run before each start of a server.
    """
    with needs_server():
        from turnwire.accounts.database import Database, sqlite_url
        from turnwire.accounts.errors import AccountsError
        from turnwire.accounts.management import Management

    logging.getLogger("alembic").setLevel(logging.WARNING)

    async def run() -> None:
        database = await Database.open(settings.database or sqlite_url(settings.data_folder()))
        try:
            await _make_first_key(Management(database), key_file)
        finally:
            await database.close()

    try:
        asyncio.run(run())
    except (AccountsError, KeyNotShown, SettingsError) as error:
        fail(str(error))


async def _make_first_key(management: "Management", key_file: Path | None) -> None:
    key = await management.create_first_account()
    if key is None:
        typer.echo("The database is up to date, and has keys.")
        return
    try:
        _hand_over(key, key_file)
    except BaseException:
        await management.take_back_key(key)
        raise


def _hand_over(key: str, key_file: Path | None) -> None:
    if key_file is not None:
        write_key(key, key_file)
        typer.echo(f"The database is up to date. Its first API key is in {key_file}.")
    elif on_terminal():
        typer.echo(f"The database is up to date. Your API key, shown this once: {key}")
    else:
        raise KeyNotShown(NO_PLACE)
