"""`turnwire config`: the settings of a server."""

import typer

from turnwire.cli.failures import fail, needs_server
from turnwire.cli.settings import CONFIG, config_file
from turnwire.cli.tables import NOTHING, show
from turnwire.server.settings import Settings, SettingsError, gather, load_settings

app = typer.Typer(help="The settings of a server.", no_args_is_help=True)


@app.command("show")
def show_(config: CONFIG = None) -> None:
    """Show what is in force for a server that is started here without flags, and where from."""
    try:
        file = config_file(config)
        given = gather(file, {})
        settings = load_settings(file)
    except SettingsError as error:
        fail(str(error), code=2)
    show(
        ("Setting", "Value", "Where from"),
        (
            (name, _shown(name, settings), given[name].source if name in given else "default")
            for name in Settings.model_fields
        ),
    )


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
