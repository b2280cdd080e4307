"""`turnwire serve`: the server for real."""

import asyncio
import logging
from typing import TYPE_CHECKING

from turnwire.cli.failures import fail, needs_server
from turnwire.cli.lines import LineWriter, logging_to, writing_to
from turnwire.cli.log_formats import FORMATTERS
from turnwire.cli.serving import (
    CannotServe,
    Parts,
    known,
    listen_to_signals,
    say_draining,
    say_ready,
    say_stopping,
    served,
)
from turnwire.cli.settings import takes_settings
from turnwire.cli.systemd import notify
from turnwire.server.settings import Settings, SettingsError

if TYPE_CHECKING:
    from turnwire.server.port import Port

STDOUT, STDERR = 1, 2


@takes_settings()
def serve(settings: Settings) -> None:
    """Run the server until Ctrl-C or SIGTERM, which drain it.

    On its first start it makes an API key and shows it on the terminal, once; without a terminal,
    it writes it to the file first-key in --data-dir. Every option can be set in the
    environment too (TURNWIRE_PORT=9000) or in a TOML file (port = 9000). SIGHUP has it read its
    certificate and key again.
    """
    with needs_server():
        import uvloop

        from turnwire.cli.supervising import supervise
        from turnwire.server.port import AddressUnusable
        from turnwire.workers.supervisor import WorkerFailed

    try:
        with (
            logging_to(
                STDERR, FORMATTERS[settings.log_format], logging.getLevelName(settings.log_level)
            ),
            writing_to(STDOUT) as output,
            # The address first: a server that cannot have it touches nothing.
            _port(settings) as port,
        ):
            if settings.workers == 1:
                with needs_server():
                    parts = Parts(settings)
                server = _serve(settings, parts, port, output)
            else:
                server = supervise(settings, port, output)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(server)
    except (AddressUnusable, CannotServe, SettingsError, WorkerFailed) as error:
        fail(str(error))


def _port(settings: Settings) -> "Port":
    from turnwire.server.port import Port

    passed = Port.passed()
    if passed is not None:
        return passed
    return Port.unix(settings.uds) if settings.uds else Port.take(settings.host, settings.port)


async def _serve(settings: Settings, parts: Parts, port: "Port", output: LineWriter) -> None:
    stop, hurry = asyncio.Event(), asyncio.Event()
    certificate = parts.certificate
    listen_to_signals(stop, hurry, certificate.read_again)
    async with (
        known(settings, port),
        served(settings, parts, port, output, stop) as (service, url),
    ):
        ca_file = certificate.tls.ca_file if certificate.tls else None
        say_ready(output, settings, port, url, service.session_limit, ca_file)
        watching = asyncio.create_task(certificate.watch())
        notify("READY=1", f"STATUS=Ready at {url}/v3/ws")
        await stop.wait()
        notify("STOPPING=1", "STATUS=Draining: open sessions go on, new ones are refused")
        watching.cancel()
        if service.open_sessions:
            say_draining(output, settings)
        await service.drain(settings.drain_seconds, hurry)
        say_stopping(output)
