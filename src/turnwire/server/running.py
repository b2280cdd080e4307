"""A server that runs within this process, on a socket of its own."""

import asyncio
import contextlib
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn

from turnwire.accounts.admission import OpenRegistry, Registry
from turnwire.accounts.database import IN_MEMORY, sqlite_url
from turnwire.accounts.store import Store
from turnwire.server.app import create_app
from turnwire.server.capacity import Capacity
from turnwire.server.clock import LoopClock
from turnwire.server.rehearsal.socket import ReachableSocket
from turnwire.server.rehearsal.wrapper import Rehearsal
from turnwire.server.service import Service
from turnwire.server.settings import Settings
from turnwire.server.tls import Tls, self_signed
from turnwire.speech import load_engine
from turnwire.speech.engine import Engine
from turnwire.wire.closures import TOO_MANY_SESSIONS
from turnwire.wire.limits import MESSAGE_BYTES

UNREADABLE_BYTES = 8 * MESSAGE_BYTES
"""A message of this size is not even read, and closes with 1009 without an Error message."""


FAREWELL_SECONDS = 3.0
"""How long a server that stops waits for its clients to take leave. TLS has them do so, and an idle
one may not."""


class AddressUnusable(Exception):
    """The address cannot be listened on; the text is one sentence for the operator."""


class _Server(uvicorn.Server):
    """uvicorn, but sessions end by their closures, and signals are left to whoever runs it."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._service.stop()
        farewell = asyncio.get_running_loop().call_later(FAREWELL_SECONDS, self._drop)
        await super().shutdown(sockets)
        farewell.cancel()

    def _drop(self) -> None:
        for connection in list(self.server_state.connections):
            assert connection.transport is not None
            connection.transport.abort()


@asynccontextmanager
async def listening(
    service: Service,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: Tls | None = None,
    rehearse: bool = False,
) -> AsyncIterator[str]:
    """Serve at `host` and `port` (0: any free one); gives the URL, such as ws://127.0.0.1:8080.

    With `tls` it is wss://. With `rehearse`, clients can have any ending happen
    (`turnwire.server.rehearsal`).

    Raises `AddressUnusable`. The way out ends all sessions, then lets go of the service.
    """
    async with contextlib.aclosing(service):
        with _listener(host, port) as listener:
            config = uvicorn.Config(
                Rehearsal(create_app(service), service.clock, enabled=rehearse),
                ws=ReachableSocket,
                ws_max_size=UNREADABLE_BYTES,
                # Audio hardly shrinks, zlib costs more than all the rest of a frame, and a few
                # bytes of it can swell to megabytes.
                ws_per_message_deflate=False,
                lifespan="off",
                access_log=False,
                # Its connection log has query strings in it, and those have tokens in them.
                log_config=None,
                log_level="warning",
                # Also for who has connected and never begun with TLS.
                timeout_graceful_shutdown=round(2 * FAREWELL_SECONDS),
                ssl_context_factory=(lambda *_: tls.context) if tls else None,
            )
            server = _Server(config, service)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            upkeep = [
                asyncio.create_task(service.leases.keep()),
                asyncio.create_task(service.leases.sweep()),
                asyncio.create_task(service.lag.watch(LoopClock())),  # no time but the real
            ]
            try:
                await server.ready.wait()
                shown = f"[{host}]" if ":" in host else host
                yield f"{'wss' if tls else 'ws'}://{shown}:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
                await serving
                for task in upkeep:
                    task.cancel()
                await asyncio.wait(upkeep)


def allow_open_files() -> int:
    """Raise this process's limit of open files as far as it goes; gives it, -1 for none.

    Every session is an open file, and the usual limit is 1,024.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems refuse a limit of their own without an end.
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise AddressUnusable(
            f"Cannot listen on {host}:{port}: {error.strerror or error}."
        ) from None
    # Connections inherit it; asyncio sets it only for a socket that names its protocol.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


async def open_service(settings: Settings, engine: Engine) -> tuple[Service, str | None]:
    """The service that the settings describe, and its first key if that was made just now.

    Raises `turnwire.accounts.errors.AccountsError` if the database cannot be used.
    """
    registry: Registry
    first_key = None
    if settings.no_auth:
        registry = OpenRegistry()
    else:
        registry = store = await Store.open(
            settings.database or sqlite_url(settings.data_folder()),
            node=settings.node,
            reusable_tokens=settings.reusable_tokens,
        )
        if settings.reclaim:
            await store.reclaim()
        first_key = await store.management.create_first_account()
    clock = LoopClock()
    service = Service(
        engine,
        registry,
        clock,
        max_sessions=settings.max_sessions,
        capacity=Capacity(engine, clock),
        ahead_seconds=settings.ahead_seconds,
        outage_seconds=settings.outage_seconds,
        codes={TOO_MANY_SESSIONS.name: settings.too_many_sessions_code},
    )
    return service, first_key


@dataclass(frozen=True, slots=True)
class RunningServer:
    url: str
    """ws://host:port, without a path; wss with TLS."""
    api_key: str
    """A key that it accepts."""
    ca_file: Path | None = None
    """With TLS, the authority that clients are to trust."""


@asynccontextmanager
async def running(
    model: str | Engine = "tiny.en",
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: bool = False,
    rehearse: bool = False,
) -> AsyncIterator[RunningServer]:
    """A server for as long as the context lasts; its accounts, one with a key, are gone then.

    `model` is a name, or an engine. With `tls` it is wss://, and its certificate is signed by an
    authority of its own. Raises `turnwire.speech.engine.EngineError` if the model cannot be loaded.
    """
    engine = await asyncio.to_thread(load_engine, model) if isinstance(model, str) else model
    store = await Store.open(IN_MEMORY, node="here")
    await store.management.create_account("here", sessions_per_minute=None)
    key = await store.management.create_key("here", name="here")
    # Small containers may have no place for temporary files.
    with TemporaryDirectory(prefix="turnwire-") if tls else nullcontext("") as folder:
        own = self_signed(Path(folder), host, now=time.time()) if tls else None
        service = Service(engine, store)
        async with listening(service, host=host, port=port, tls=own, rehearse=rehearse) as url:
            yield RunningServer(url, key, own.ca_file if own else None)
