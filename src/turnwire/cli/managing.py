"""Commands that look after the accounts, in the database that `turnwire serve` uses."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turnwire.cli.failures import fail, needs_server
from turnwire.cli.settings import takes_settings
from turnwire.server.settings import Settings, SettingsError

if TYPE_CHECKING:
    from turnwire.accounts.database import Database

Account = Annotated[str, typer.Option(help="The name of the account.", metavar="NAME")]


def manages(function: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Makes a command of a coroutine function of `Management`."""

    @functools.wraps(function)
    async def manage(database: "Database", **given: Any) -> None:
        from turnwire.accounts.management import Management

        await function(Management(database), **given)

    return opens_database(manage)


def opens_database(function: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Makes a command of a coroutine function of `Database`.

    It gets options that say where the database is.
    """

    @functools.wraps(function)
    def command(settings: Settings, **given: Any) -> None:
        with needs_server():
            from turnwire.accounts.database import Database, sqlite_url
            from turnwire.accounts.errors import AccountsError

        async def run() -> None:
            database = await Database.open(settings.database or sqlite_url(settings.data_folder()))
            try:
                await function(database, **given)
            finally:
                await database.close()

        try:
            asyncio.run(run())
        except (AccountsError, SettingsError) as error:
            fail(str(error))

    return takes_settings("data_dir", "database")(command)
