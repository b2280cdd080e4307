"""The server on its port: the transport for WebSockets, uvicorn's protocol for plain HTTP."""

import asyncio
import contextlib
import errno
import resource
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from turnwire.server.app import create_app
from turnwire.server.clock import LoopClock
from turnwire.server.service import Service
from turnwire.server.site import Interceptor, ServiceSite, Site
from turnwire.transport.front import Front
from turnwire.transport.listener import BACKLOG, Listener
from turnwire.transport.request import HEAD_BYTES, Request, Response
from turnwire.transport.websocket import Opening


class AddressUnusable(Exception):
    """The address cannot be listened on; the text is one sentence for the operator."""


class _PlainHttp(H11Protocol):
    """uvicorn's protocol for one request, which gives the connection back when it has answered."""

    def __init__(self, config: uvicorn.Config, state: ServerState, front: Front) -> None:
        super().__init__(config, state, {})
        self._front = front

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._front.connection_lost(exc)

    def on_response_complete(self) -> None:
        self.connections.discard(self)
        if self.transport.is_closing():
            return
        if self.conn.their_state is not h11.DONE or self.conn.our_state is not h11.DONE:
            # What is left of the body is not waited for.
            self.transport.close()
            return
        self.flow.resume_reading()
        self._front.take_back(self.conn.trailing_data[0])

    def _unsupported_upgrade_warning(self) -> None:
        """Clients ask for HTTP/2 in this way; they get HTTP/1.1, and the log stays quiet."""


class _Door:
    """A site for the transport."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.state = ServerState()
        self._config = uvicorn.Config(
            site.app,
            interface="asgi3",
            ws="none",
            lifespan="off",
            access_log=False,
            # Its logs of requests would have query strings in them, and those have tokens.
            log_config=None,
            log_level="warning",
            h11_max_incomplete_event_size=2 * HEAD_BYTES,
        )
        self._config.load()

    def upgrade(self, request: Request) -> Opening | Response:
        return self._site.upgrade(request)

    def plain(self, front: Front) -> asyncio.Protocol:
        self.state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        return _PlainHttp(self._config, self.state, front)


class Port:
    """An address that is taken, and listened on only when a server is ready.

    Raises `AddressUnusable` if it cannot be had.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._bind(port)
        except OSError as error:
            self.socket.close()
            raise AddressUnusable(
                f"Cannot listen on {host}:{port}: {error.strerror or error}."
            ) from None

    def _bind(self, port: int) -> None:
        if self.socket.family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            self.socket.bind((self.host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            # Perhaps only connections of a server that has just stopped are in the way. Where
            # there is one, this fails too.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind((self.host, port))

    def __enter__(self) -> "Port":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @property
    def number(self) -> int:
        return int(self.socket.getsockname()[1])

    def listen(self) -> None:
        """Let clients connect. Raises `AddressUnusable`."""
        # Only now, or a second server that starts could take the same port.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.socket.listen(BACKLOG)
        except OSError as error:
            raise AddressUnusable(
                f"Cannot listen on {self.host}:{self.number}: {error.strerror or error}."
            ) from None


@asynccontextmanager
async def listening(
    service: Service,
    port: Port,
    *,
    tls: Callable[[], ssl.SSLContext] | None = None,
    intercept: Interceptor | None = None,
) -> AsyncIterator[str]:
    """Serve at this port; gives the URL, such as ws://127.0.0.1:8080.

    With `tls` it is wss://; it is asked for the context of each new connection. Raises
    `AddressUnusable`. The way out ends all sessions, then lets go of the service.
    """
    async with contextlib.aclosing(service):
        site: Site = ServiceSite(service, create_app(service))
        if intercept is not None:
            site = intercept(site, service.clock)
        door = _Door(site)
        port.listen()
        listener = Listener(port.socket, door, tls=tls, notices=service.notices)
        listener.start()
        upkeep = [
            asyncio.create_task(service.leases.keep()),
            asyncio.create_task(service.leases.sweep()),
            asyncio.create_task(service.lag.watch(LoopClock())),  # no time but the real
        ]
        try:
            host = f"[{port.host}]" if ":" in port.host else port.host
            yield f"{'wss' if tls else 'ws'}://{host}:{port.number}"
        finally:
            listener.stop_accepting()
            await service.stop()
            await listener.close()
            for task in (*upkeep, *door.state.tasks):
                task.cancel()
            await asyncio.wait([*upkeep, *door.state.tasks])


def allow_open_files() -> int:
    """Raise this process's limit of open files as far as it goes; gives it, -1 for none.

    Every session is an open file, and the usual limit is 1,024.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems refuse a limit of their own without an end.
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
