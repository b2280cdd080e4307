"""`turnwire serve`: the server for real."""

import asyncio
import logging
import shlex
import signal
import sys
import time
from typing import TYPE_CHECKING

import typer

from turnwire.cli.failures import fail, needs_server
from turnwire.cli.settings import takes_settings
from turnwire.server.settings import Settings

if TYPE_CHECKING:
    from turnwire.server.tls import Tls
    from turnwire.speech.engine import Engine


@takes_settings()
def serve(settings: Settings) -> None:
    """Run the server until Ctrl-C or SIGTERM.

    On its first start it makes an API key and prints it, once. Every option can be set in the
    environment too (TURNWIRE_PORT=9000) or in a TOML file (port = 9000).
    """
    with needs_server():
        import uvloop

        from turnwire.accounts.errors import AccountsError
        from turnwire.server.running import AddressUnusable, allow_open_files
        from turnwire.server.tls import TlsError, tls_of
        from turnwire.speech import load_engine
        from turnwire.speech.engine import EngineError

    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    allow_open_files()
    try:
        tls = tls_of(settings, now=time.time())
        engine = load_engine(settings.model)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, engine, tls))
    except (AccountsError, AddressUnusable, EngineError, TlsError) as error:
        fail(str(error))


async def _serve(settings: Settings, engine: "Engine", tls: "Tls | None") -> None:
    from turnwire.server.running import listening, open_service

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    service, first_key = await open_service(settings, engine)
    if first_key is not None:
        typer.echo(f"Your API key, shown this once: {first_key}")
    async with listening(
        service, host=settings.host, port=settings.port, tls=tls, rehearse=settings.rehearse
    ) as url:
        typer.echo(f"Turnwire is ready at {url}/v3/ws with model {engine.name}.")
        if service.session_limit is not None:
            typer.echo(f"It takes up to {service.session_limit} sessions at once.")
        if tls is not None and tls.ca_file is not None:
            ca_file = shlex.quote(str(tls.ca_file.resolve()))
            typer.echo("Its certificate is its own. Clients trust it with")
            typer.echo(f"  SSL_CERT_FILE={ca_file}  (Python)")
            typer.echo(f"  NODE_EXTRA_CA_CERTS={ca_file}  (Node)")
        await stop.wait()
        typer.echo("Stopping: open sessions deliver their last words.")
