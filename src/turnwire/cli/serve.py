"""`turnwire serve`: the server for real."""

import asyncio
import logging
import shlex
import signal
import time
from typing import TYPE_CHECKING

from turnwire.cli.failures import fail, needs_server
from turnwire.cli.lines import LineWriter, logging_to, why_not, writing_to
from turnwire.cli.settings import takes_settings
from turnwire.cli.systemd import notify
from turnwire.server.settings import Settings, SettingsError

if TYPE_CHECKING:
    from turnwire.server.service import Service
    from turnwire.server.tls import Tls
    from turnwire.speech.engine import Engine


STDOUT, STDERR = 1, 2

DAY_SECONDS = 24 * 60 * 60.0

logger = logging.getLogger(__name__)


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

    logging.getLogger("alembic").setLevel(logging.WARNING)
    allow_open_files()
    try:
        with logging_to(STDERR), writing_to(STDOUT) as output:
            tls = tls_of(settings, now=time.time())
            engine = load_engine(settings.model)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_serve(settings, engine, tls, output))
    except (
        AccountsError,
        AddressUnusable,
        EngineError,
        KeyNotShown,
        SettingsError,
        TlsError,
    ) as error:
        fail(str(error))


async def _serve(
    settings: Settings, engine: "Engine", tls: "Tls | None", output: LineWriter
) -> None:
    from turnwire.server.running import listening, open_service

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    service, first_key = await open_service(settings, engine)
    if first_key is not None:
        await _show(first_key, output, service, stop)
    async with listening(
        service, host=settings.host, port=settings.port, tls=tls, rehearse=settings.rehearse
    ) as url:
        output.write(f"Turnwire is ready at {url}/v3/ws with model {engine.name}.")
        if service.session_limit is not None:
            output.write(f"It takes up to {service.session_limit} sessions at once.")
        if tls is not None and tls.ca_file is not None:
            ca_file = shlex.quote(str(tls.ca_file.resolve()))
            output.write("Its certificate is its own. Clients trust it with")
            output.write(f"  SSL_CERT_FILE={ca_file}  (Python)")
            output.write(f"  NODE_EXTRA_CA_CERTS={ca_file}  (Node)")
        watching = None if tls is None else asyncio.create_task(_watch_certificate(tls))
        notify("READY=1", f"STATUS=Ready at {url}/v3/ws")
        await stop.wait()
        notify("STOPPING=1", "STATUS=Open sessions deliver their last words")
        if watching is not None:
            watching.cancel()
        output.write("Stopping: open sessions deliver their last words.")


async def _watch_certificate(tls: "Tls") -> None:
    """Say every day what clients have against the certificate. Never ends."""
    while True:
        if problem := tls.problem(time.time()):
            logger.warning(problem)
        await asyncio.sleep(DAY_SECONDS)


class KeyNotShown(Exception):
    """A new key could not be shown; the text is one sentence for the operator."""


async def _show(key: str, output: LineWriter, service: "Service", stop: asyncio.Event) -> None:
    """Show a new key, or take it back: it is kept nowhere else. Raises `KeyNotShown`."""
    from turnwire.accounts.store import Store

    written = asyncio.wrap_future(output.write(f"Your API key, shown this once: {key}"))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((written, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if written.done() and written.exception() is None:
        return
    assert isinstance(service.registry, Store)
    await service.registry.management.take_back_key(key)
    if not written.cancel():
        await service.aclose()
        error = written.exception()
        why = why_not(error) if isinstance(error, OSError) else error
        raise KeyNotShown(f"The first API key could not be shown, so it was not made: {why}.")
