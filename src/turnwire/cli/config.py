"""`turnwire config`: the settings of a server."""

import json

import typer

from turnwire.cli.failures import fail, needs_server
from turnwire.cli.managing import Json
from turnwire.cli.settings import Flags, takes_flags
from turnwire.cli.tables import NOTHING, show
from turnwire.server.settings import Settings, SettingsError, gather, load_settings

app = typer.Typer(help="The settings of a server.", no_args_is_help=True)


@app.command("show")
@takes_flags()
def show_(flags: Flags, as_json: Json = False) -> None:
    """Show what is in force for a server that is started here with these flags, and where from."""
    try:
        given = gather(flags.config, flags.settings)
        settings = load_settings(flags.config, **flags.settings)
    except SettingsError as error:
        fail(str(error), code=2)
    rows = [
        (name, _shown(name, settings), given[name].source if name in given else "default")
        for name in Settings.model_fields
    ]
    if as_json:
        shown = {name: {"value": value, "from": source} for name, value, source in rows}
        typer.echo(json.dumps(shown, indent=2))
    else:
        show(("Setting", "Value", "Where from"), rows)


def _shown(name: str, settings: Settings) -> str:
    value = getattr(settings, name)
    if name == "data_dir" and value is None:
        try:
            return str(settings.data_folder_name())
        except SettingsError:
            return NOTHING
    if name == "database" and value is not None:
        return _database(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOTHING if value is None else str(value)


def _database(url: str) -> str:
    """The database without a password that may be in its URL."""
    with needs_server():
        from turnwire.accounts.database_url import parse_database_url
        from turnwire.accounts.errors import DatabaseUnusable

    try:
        return str(parse_database_url(url))
    except DatabaseUnusable:
        return "(cannot be read)"
