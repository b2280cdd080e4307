"""What the commands of a server have in common, whether it is one process or several."""

import asyncio
import logging
import shlex
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from turnwire.cli.first_key import KeyNotShown, make_first_key
from turnwire.cli.lines import LineWriter

if TYPE_CHECKING:
    from turnwire.server.http import Place
    from turnwire.server.port import Port
    from turnwire.server.service import Service
    from turnwire.server.settings import Settings
    from turnwire.server.siblings import Siblings
    from turnwire.speech.engine import Engine

logger = logging.getLogger(__name__)


class CannotServe(Exception):
    """A server cannot start; the text is one sentence for the operator."""


@contextmanager
def saying_why() -> Iterator[None]:
    """Raises `CannotServe` for whatever may be wrong with what a server needs."""
    from turnwire.accounts.errors import AccountsError
    from turnwire.server.settings import SettingsError
    from turnwire.server.tls import TlsError
    from turnwire.speech.engine import EngineError

    try:
        yield
    except (AccountsError, EngineError, KeyNotShown, SettingsError, TlsError) as error:
        raise CannotServe(str(error)) from error


class Parts:
    """What takes long to get, or may be missing: it is there before anybody connects.

    Open files belong to it, as many as there may be.
    """

    def __init__(self, settings: "Settings") -> None:
        """Raises `CannotServe`."""
        # It tells of its own parts as it is imported.
        logging.getLogger("alembic").setLevel(logging.WARNING)
        from turnwire.assembly import extensions
        from turnwire.server.certificate import Certificate
        from turnwire.server.engine import engine_of
        from turnwire.server.http import allow_open_files

        allow_open_files()
        with saying_why():
            self.certificate: Certificate = Certificate(settings)
            self.extend = extensions(settings)
            self.engine: Engine = engine_of(settings)


@asynccontextmanager
async def served(
    settings: "Settings",
    parts: Parts,
    place: "Place",
    output: LineWriter,
    stop: asyncio.Event,
    *,
    siblings: "Siblings | None" = None,
    makes_key: bool = True,
) -> "AsyncIterator[tuple[Service, str]]":
    """The service of this process, at this place, and its URL.

    Raises `CannotServe` and `AddressUnusable`.
    """
    from turnwire.accounts.store import Store
    from turnwire.rehearsal.interceptor import Rehearsal
    from turnwire.server.composition import open_service
    from turnwire.server.http import listening
    from turnwire.server.root_path import below

    with saying_why():
        service = await open_service(settings, parts.engine, parts.extend, stop, siblings)
        if makes_key and isinstance(service.registry, Store):
            try:
                await make_first_key(service.registry.management, settings, output, stop)
            except BaseException:
                await service.aclose()
                raise
    certificate = parts.certificate
    async with listening(
        service,
        place,
        tls=None if certificate.tls is None else certificate.context,
        intercept=below(settings.root_path, Rehearsal if settings.rehearse else None),
    ) as url:
        yield service, url


def listen_to_signals(
    stop: asyncio.Event, hurry: asyncio.Event, read_certificate: Callable[[], None]
) -> None:
    """Have signals mean to this process what they mean to a server."""
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, lambda: (hurry if stop.is_set() else stop).set())
    loop.add_signal_handler(signal.SIGHUP, read_certificate)
    for sign in (signal.SIGUSR1, signal.SIGUSR2):
        loop.add_signal_handler(sign, logger.info, "%s means nothing to this server", sign.name)


@asynccontextmanager
async def known(settings: "Settings", port: "Port") -> AsyncIterator[None]:
    """Let `turnwire drain` find this server by the folder that it keeps its accounts in."""
    if settings.no_auth or settings.database is not None:
        yield
        return
    from turnwire.server.pid_file import pid_file

    with pid_file(settings.data_folder(), port.number or settings.port):
        yield


def say_ready(
    output: LineWriter,
    settings: "Settings",
    port: "Port",
    url: str,
    session_limit: int | None,
    ca_file: Path | None,
) -> None:
    """Tell people how the server is reached, and what they should know."""
    processes = "" if settings.workers == 1 else f", in {settings.workers} processes"
    output.write(f"Turnwire is ready at {url}/v3/ws with model {settings.model}{processes}.")
    for address in port.addresses[1:]:
        output.write(f"It listens at {address} too.")
    if session_limit is not None:
        output.write(f"It takes up to {session_limit} sessions at once.")
    if settings.no_auth and port.is_open:
        output.write("Anybody who can reach this machine can use it: --no-auth lets all in.")
    if ca_file is not None:
        path = shlex.quote(str(ca_file.resolve()))
        output.write("Its certificate is its own. Clients trust it with")
        output.write(f"  SSL_CERT_FILE={path}  (Python)")
        output.write(f"  NODE_EXTRA_CA_CERTS={path}  (Node)")


def say_draining(output: LineWriter, settings: "Settings") -> None:
    output.write(
        f"Draining: open sessions may go on for {settings.drain_seconds:g} s, and no new "
        "ones are taken. A second signal ends them now."
    )


def say_stopping(output: LineWriter) -> None:
    output.write("Stopping: open sessions deliver their last words.")
