"""`turnwire drain`: have a server take no new sessions, and end with its open ones."""

import asyncio
import os
import signal
from pathlib import Path

import typer
from pydantic import BaseModel

from turnwire.accounts.errors import AccountsError
from turnwire.cli.failures import fail
from turnwire.cli.managing import AdminKey, Json, Server, check_place
from turnwire.cli.options import CaFile
from turnwire.cli.outcomes import Said
from turnwire.cli.settings import Flags, load, takes_flags
from turnwire.server.settings import Settings, SettingsError

DRAINS = "takes no new sessions and ends with its open ones"


class DrainStarted(BaseModel):
    draining: bool = True
    process: int | None
    """Null for a server that was asked by its address."""


@takes_flags("data_dir", "port")
def drain(
    given: Flags,
    context: typer.Context,
    as_json: Json = False,
    server: Server = None,
    admin_key: AdminKey = None,
    ca_file: CaFile = None,
) -> None:
    """Have a server take no new sessions, and end with its open ones.

    It is what SIGTERM does; the server's drain_seconds says how long open sessions have. Without
    --server, it is the one on this machine with this port and these accounts.
    """
    check_place(context, server)
    if server is not None:
        _ask(server, admin_key, ca_file)
        done = Said(f"The server at {server} {DRAINS}.", DrainStarted(process=None))
    else:
        process = _signal(load(given))
        done = Said(f"The server, process {process}, {DRAINS}.", DrainStarted(process=process))
    asyncio.run(done.tell(as_json=as_json))


def _ask(server: str, admin_key: str | None, ca_file: Path | None) -> None:
    from turnwire.admin.client import AdminApi
    from turnwire.admin.remote import RemoteAdministration

    try:
        asyncio.run(RemoteAdministration(AdminApi(server, admin_key, ca_file)).drain())
    except AccountsError as error:
        fail(str(error))


def _signal(settings: Settings) -> int:
    from turnwire.server.pid_file import running_server

    try:
        folder = settings.data_folder_name()
    except SettingsError as error:
        fail(str(error))
    process = running_server(folder, settings.port)
    if process is None:
        fail(f"No server runs at port {settings.port} with its data in {folder}.")
    try:
        os.kill(process, signal.SIGTERM)
    except OSError as error:
        fail(f"The server, process {process}, cannot be reached: {error.strerror}.")
    return process
