"""`turnwire drain`: have a server take no new sessions, and end with its open ones."""

import os
import signal

import typer

from turnwire.cli.failures import fail
from turnwire.cli.settings import takes_settings
from turnwire.server.settings import Settings, SettingsError


@takes_settings("data_dir", "port")
def drain(settings: Settings) -> None:
    """Have a server on this machine take no new sessions, and end with its open ones.

    It is what SIGTERM does; the server's drain_seconds says how long open sessions have.
    """
    from turnwire.server.pid_file import running_server

    try:
        folder = settings.data_folder()
    except SettingsError as error:
        fail(str(error))
    process = running_server(folder, settings.port)
    if process is None:
        fail(f"No server runs at port {settings.port} with its data in {folder}.")
    try:
        os.kill(process, signal.SIGTERM)
    except OSError as error:
        fail(f"The server, process {process}, cannot be reached: {error.strerror}.")
    typer.echo(f"The server, process {process}, takes no new sessions and ends with its open ones.")
