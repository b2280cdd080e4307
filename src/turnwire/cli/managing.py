"""Commands that look after the accounts: in the database that `turnwire serve` uses, or by the
admin API of a server."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turnwire.accounts.errors import AccountsError
from turnwire.admin.administration import Administration
from turnwire.cli.failures import fail, needs_server
from turnwire.cli.options import CaFile
from turnwire.cli.outcomes import Outcome
from turnwire.cli.settings import Flags, load, takes_flags
from turnwire.server.settings import SettingsError

if TYPE_CHECKING:
    from turnwire.accounts.database import Database
    from turnwire.admin.client import AdminApi

Account = Annotated[str, typer.Option(help="The name of the account.", metavar="NAME")]

Json = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]

Server = Annotated[
    str | None,
    typer.Option(
        help="Have the server at this address do it, such as http://localhost:8080, by its admin "
        "API. Without it, it is done in the database.",
        metavar="URL",
    ),
]
AdminKey = Annotated[
    str | None,
    typer.Option(
        envvar="TURNWIRE_ADMIN_KEY",
        show_envvar=True,
        help="An admin key of that server; `turnwire admin create-key` makes one.",
    ),
]

_REMOTE: Mapping[str, Any] = {"server": Server, "admin_key": AdminKey, "ca_file": CaFile}

_Function = Callable[..., Coroutine[Any, Any, Outcome]]


def manages_what(
    stored: Callable[["Database"], Any], remote: Callable[["AdminApi"], Any]
) -> Callable[[_Function], Callable[..., None]]:
    """Makes a command of a coroutine function of what one of these gives.

    It gets options that say where that is done, and prints what the function has to say.
    """

    @asynccontextmanager
    async def opened(
        given: Flags, server: str | None, admin_key: str | None, ca_file: Path | None
    ) -> AsyncIterator[Any]:
        if server is not None:
            from turnwire.admin.client import AdminApi

            yield remote(AdminApi(server, admin_key, ca_file))
        else:
            async with database_of(given) as database:
                yield stored(database)

    return lambda function: _command(function, opened, _REMOTE)


def manages(function: _Function) -> Callable[..., None]:
    """The same of a coroutine function of an `Administration`."""
    return manages_what(_stored, _remote)(function)


def _stored(database: "Database") -> Administration:
    from turnwire.admin.stored import StoredAdministration

    return StoredAdministration(database)


def _remote(api: "AdminApi") -> Administration:
    from turnwire.admin.remote import RemoteAdministration

    return RemoteAdministration(api)


def manages_database(function: _Function) -> Callable[..., None]:
    """The same of a coroutine function of a `Database`, for what is done where that is only."""
    return _command(function, database_of, {})


def check_place(context: typer.Context, server: str | None) -> None:
    """Refuse options that would not matter, as it is done somewhere else."""

    def given(*names: str) -> str | None:
        for name in names:
            source = context.get_parameter_source(name)
            if source is not None and source.name == "COMMANDLINE":
                return f"--{name.replace('_', '-')}"
        return None

    if server is not None:
        if option := given("data_dir", "database", "config", "port"):
            fail(f"{option} is for what is done here, and --server has a server do it.", code=2)
    elif option := given("admin_key", "ca_file"):
        fail(f"{option} is for a server that does it: name that with --server.", code=2)


def _command(
    function: _Function,
    opened: Callable[..., AbstractAsyncContextManager[Any]],
    options: Mapping[str, Any],
) -> Callable[..., None]:
    def command(given: Flags, context: typer.Context, as_json: bool, **others: Any) -> None:
        where = {name: others.pop(name) for name in options}
        check_place(context, where.get("server"))

        async def run() -> None:
            async with opened(given, **where) as it:
                outcome = await function(it, **others)
                await outcome.tell(as_json=as_json)

        try:
            asyncio.run(run())
        except (AccountsError, SettingsError) as error:
            fail(str(error))

    keyword = inspect.Parameter.KEYWORD_ONLY
    first, *own = inspect.signature(function).parameters.values()
    command.__name__ = function.__name__
    command.__doc__ = function.__doc__
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            first,
            *own,
            inspect.Parameter("context", keyword, annotation=typer.Context),
            inspect.Parameter("as_json", keyword, default=False, annotation=Json),
            *(
                inspect.Parameter(name, keyword, default=None, annotation=option)
                for name, option in options.items()
            ),
        ]
    )
    return takes_flags("data_dir", "database")(command)


@asynccontextmanager
async def database_of(given: Flags) -> "AsyncIterator[Database]":
    """The database of a server that was set up. Raises `AccountsError` and `SettingsError`."""
    settings = load(given)
    with needs_server():
        from turnwire.accounts.database import Database, sqlite_url
        from turnwire.accounts.database_url import SqliteUrl, parse_database_url

    url = settings.database or sqlite_url(settings.data_folder_name())
    where = parse_database_url(url)
    if isinstance(where, SqliteUrl) and where.path is not None and not where.path.exists():
        # One that is made here by mistake would look like accounts that are gone.
        raise AccountsError(
            f"There are no accounts in {where.path.parent}: `turnwire init` makes them there, and "
            "--data-dir names another folder."
        )
    database = await Database.open(url)
    try:
        yield database
    finally:
        await database.close()
