"""`turnwire serve`: the server for real."""

import asyncio
import logging
import shlex
import signal
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from turnwire.cli.failures import fail, needs_server
from turnwire.cli.first_key import KeyNotShown, make_first_key
from turnwire.cli.lines import LineWriter, logging_to, writing_to
from turnwire.cli.log_formats import FORMATTERS
from turnwire.cli.settings import takes_settings
from turnwire.cli.systemd import notify
from turnwire.server.settings import Settings, SettingsError

if TYPE_CHECKING:
    from turnwire.server.extensions import Extend
    from turnwire.server.port import Port
    from turnwire.server.tls import Tls
    from turnwire.speech.engine import Engine

STDOUT, STDERR = 1, 2

DAY_SECONDS = 24 * 60 * 60.0

logger = logging.getLogger(__name__)


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

        from turnwire.accounts.errors import AccountsError
        from turnwire.assembly import extensions
        from turnwire.server.http import allow_open_files
        from turnwire.server.port import AddressUnusable
        from turnwire.server.tls import TlsError, tls_of
        from turnwire.speech import load_engine
        from turnwire.speech.engine import EngineError

    logging.getLogger("alembic").setLevel(logging.WARNING)
    allow_open_files()
    try:
        with (
            logging_to(
                STDERR, FORMATTERS[settings.log_format], logging.getLevelName(settings.log_level)
            ),
            writing_to(STDOUT) as output,
            # The address first: a server that cannot have it touches nothing.
            _port(settings) as port,
        ):
            tls = tls_of(settings, now=time.time())
            extend = extensions(settings)
            engine = load_engine(settings.model, settings.device, settings.compute_type)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_serve(settings, engine, extend, tls, port, output))
    except (
        AccountsError,
        AddressUnusable,
        EngineError,
        KeyNotShown,
        SettingsError,
        TlsError,
    ) as error:
        fail(str(error))


def _port(settings: Settings) -> "Port":
    from turnwire.server.port import Port

    passed = Port.passed()
    if passed is not None:
        return passed
    return Port.unix(settings.uds) if settings.uds else Port.take(settings.host, settings.port)


class Certificate:
    """What the server speaks TLS with, read again when asked."""

    def __init__(self, settings: Settings, tls: "Tls") -> None:
        self._settings = settings
        self.tls = tls

    def context(self) -> ssl.SSLContext:
        return self.tls.context

    def read_again(self) -> None:
        from turnwire.server.tls import TlsError, tls_of

        try:
            tls = tls_of(self._settings, now=time.time())
        except (SettingsError, TlsError) as error:
            logger.error("%s The certificate read before stays in use.", error)
            return
        if tls is not None:
            self.tls = tls
            logger.info("the certificate and its key were read again")


async def _serve(
    settings: Settings,
    engine: "Engine",
    extend: "list[Extend]",
    tls: "Tls | None",
    port: "Port",
    output: LineWriter,
) -> None:
    from turnwire.accounts.store import Store
    from turnwire.rehearsal.interceptor import Rehearsal
    from turnwire.server.composition import open_service
    from turnwire.server.http import listening
    from turnwire.server.root_path import below

    stop, hurry = asyncio.Event(), asyncio.Event()
    certificate = None if tls is None else Certificate(settings, tls)
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, lambda: (hurry if stop.is_set() else stop).set())
    loop.add_signal_handler(signal.SIGHUP, _read_again, certificate)
    for sign in (signal.SIGUSR1, signal.SIGUSR2):
        loop.add_signal_handler(sign, logger.info, "%s means nothing to this server", sign.name)
    service = await open_service(settings, engine, extend, drain_asked=stop)
    if isinstance(service.registry, Store):
        try:
            await make_first_key(service.registry.management, settings, output, stop)
        except BaseException:
            await service.aclose()
            raise
    async with (
        _known(settings, port),
        listening(
            service,
            port,
            tls=None if certificate is None else certificate.context,
            intercept=below(settings.root_path, Rehearsal if settings.rehearse else None),
        ) as url,
    ):
        output.write(f"Turnwire is ready at {url}/v3/ws with model {settings.model}.")
        for address in port.addresses[1:]:
            output.write(f"It listens at {address} too.")
        if service.session_limit is not None:
            output.write(f"It takes up to {service.session_limit} sessions at once.")
        if settings.no_auth and port.is_open:
            output.write("Anybody who can reach this machine can use it: --no-auth lets all in.")
        if tls is not None and tls.ca_file is not None:
            ca_file = shlex.quote(str(tls.ca_file.resolve()))
            output.write("Its certificate is its own. Clients trust it with")
            output.write(f"  SSL_CERT_FILE={ca_file}  (Python)")
            output.write(f"  NODE_EXTRA_CA_CERTS={ca_file}  (Node)")
        watching = None
        if certificate is not None:
            watching = asyncio.create_task(_watch_certificate(certificate))
        notify("READY=1", f"STATUS=Ready at {url}/v3/ws")
        await stop.wait()
        notify("STOPPING=1", "STATUS=Draining: open sessions go on, new ones are refused")
        if watching is not None:
            watching.cancel()
        if service.open_sessions:
            output.write(
                f"Draining: open sessions may go on for {settings.drain_seconds:g} s, and no new "
                "ones are taken. A second signal ends them now."
            )
        await service.drain(settings.drain_seconds, hurry)
        output.write("Stopping: open sessions deliver their last words.")


@asynccontextmanager
async def _known(settings: Settings, port: "Port") -> AsyncIterator[None]:
    """Let `turnwire drain` find this server by the folder that it keeps its accounts in."""
    if settings.no_auth or settings.database is not None:
        yield
        return
    from turnwire.server.pid_file import pid_file

    with pid_file(settings.data_folder(), port.number or settings.port):
        yield


async def _watch_certificate(certificate: Certificate) -> None:
    """Say every day what clients have against the certificate. Never ends."""
    while True:
        if problem := certificate.tls.problem(time.time()):
            logger.warning(problem)
        await asyncio.sleep(DAY_SECONDS)


def _read_again(certificate: Certificate | None) -> None:
    if certificate is None:
        logger.info("SIGHUP has the certificate read again; this server has none")
    else:
        certificate.read_again()
