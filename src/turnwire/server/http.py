"""The server on its port: the transport for WebSockets, uvicorn's protocol for plain HTTP."""

import asyncio
import contextlib
import resource
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Protocol

import h11
import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from turnwire.server.app import create_app
from turnwire.server.forwarding import BehindProxies
from turnwire.server.service import Service
from turnwire.server.site import Interceptor, ServiceSite, Site
from turnwire.server.upkeep import kept_up
from turnwire.transport.arrivals import Arrivals
from turnwire.transport.front import Front
from turnwire.transport.listener import Listener
from turnwire.transport.networks import Networks
from turnwire.transport.notices import Notices
from turnwire.transport.request import HEAD_BYTES, Request, Response
from turnwire.transport.socket import Opening


class _PlainHttp(H11Protocol):
    """uvicorn's protocol for one request, which gives the connection back when it has answered."""

    def __init__(self, config: uvicorn.Config, state: ServerState, front: Front) -> None:
        super().__init__(config, state, {})
        self._front = front
        self._site_app, self.app = self.app, self._answer

    async def _answer(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        async def send_on(message: ASGISendEvent) -> None:
            await send(message)
            self._front.answer_went_on()

        await self._site_app(scope, receive, send_on)

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
    """What answers requests for a site: the transport's `RequestHandler`."""

    def __init__(self, site: Site, proxies: Networks) -> None:
        self._site = site
        self.state = ServerState()
        self._config = uvicorn.Config(
            BehindProxies(site.app, proxies),
            interface="asgi3",
            ws="none",
            lifespan="off",
            proxy_headers=False,  # BehindProxies reads them
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


class Place(Protocol):
    """Where a server is reached: a port of its own, or one that another process has."""

    def arrivals(self, notices: Notices) -> Sequence[Arrivals]:
        """Where its connections come from, from now on. Raises `AddressUnusable`."""

    def url(self, scheme: str) -> str:
        """What clients call it, without a path."""


@asynccontextmanager
async def listening(
    service: Service,
    port: Place,
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
        door = _Door(site, service.options.proxies)
        listeners = [
            Listener(
                each,
                door,
                tls=tls,
                notices=service.notices,
                proxies=service.options.proxies,
                count=service.siblings.note_connections,
            )
            for each in port.arrivals(service.notices)
        ]
        for listener in listeners:
            listener.start()
        try:
            async with kept_up(service):
                try:
                    yield port.url("wss" if tls else "ws")
                finally:
                    for listener in listeners:
                        listener.stop_accepting()
        finally:
            await asyncio.gather(*(listener.close() for listener in listeners))
            for task in door.state.tasks:
                task.cancel()
            await asyncio.gather(*door.state.tasks, return_exceptions=True)


def allow_open_files() -> int:
    """Raise this process's limit of open files as far as it goes; gives it, -1 for none.

    Every session is an open file, and the usual limit is 1,024.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems refuse a limit of their own without an end.
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
