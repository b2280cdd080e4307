"""`turnwire serve`: the server for real."""

import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.cli.failures import fail, needs_server

if TYPE_CHECKING:
    from turnwire.server.service import Service


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 is every network of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes any free one.")] = 8080,
    model: Annotated[
        str,
        typer.Option(
            help="tiny.en comes with the package. Any other Whisper size is fetched by its name "
            "(base.en, small, ...); a folder with a CTranslate2 model works offline."
        ),
    ] = "tiny.en",
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Where keys are kept.", show_default="your user data directory"),
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Let anybody in, whatever key they bring.")
    ] = False,
) -> None:
    """Run the server until Ctrl-C or SIGTERM.

    On its first start it makes an API key and prints it, once.
    """
    with needs_server():
        import platformdirs
        import uvloop

        from turnwire.accounts.admission import Everyone, KeyHolders, Registry
        from turnwire.accounts.keys import open_key_file
        from turnwire.server.service import Service
        from turnwire.speech import load_engine
        from turnwire.speech.engine import EngineError

    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    registry: Registry
    if no_auth:
        registry = Everyone()
    else:
        directory = data_dir or platformdirs.user_data_path("turnwire")
        try:
            keys, first_key = open_key_file(directory)
        except (OSError, ValueError) as error:
            fail(f"The keys in {directory} cannot be used: {error}")
        registry = KeyHolders(keys)
        if first_key is not None:
            typer.echo(f"Your API key, shown this once: {first_key}")
    try:
        engine = load_engine(model)
    except EngineError as error:
        fail(str(error))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(Service(engine, registry), host, port))
    except OSError as error:
        fail(f"Cannot listen on {host}:{port}: {error.strerror or error}.")


async def _serve(service: "Service", host: str, port: int) -> None:
    from turnwire.server.running import listening

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    async with listening(service, host=host, port=port) as url:
        typer.echo(f"Turnwire is ready at {url}/v3/ws with model {service.engine.name}.")
        await stop.wait()
        typer.echo("Stopping: open sessions deliver their last words.")
