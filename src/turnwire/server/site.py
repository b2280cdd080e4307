"""What a server serves: WebSockets by their path, and all else by an ASGI application."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from turnwire.clock import Clock
from turnwire.server.service import Service
from turnwire.transport.request import Request, Response
from turnwire.transport.socket import Opening
from turnwire.wire.closures import DEPRECATED_ENDPOINT, NO_CAPACITY
from turnwire.wire.limits import SESSION_PATH

SOCKET_PATHS = (SESSION_PATH, f"{SESSION_PATH}/", "/")
"""Where sessions are opened; the last is where AssemblyAI's self-hosted example connects."""

DEPRECATED_PATHS = ("/v2/realtime/ws", "/v2/realtime/token")

REHEARSAL_PATH = "/rehearse"


class Site(Protocol):
    """What is served."""

    @property
    def app(self) -> ASGIApp:
        """Answers plain HTTP."""

    def upgrade(self, request: Request) -> Opening | Response:
        """What becomes of a handshake."""


Interceptor = Callable[[Site, Clock], Site]
"""Puts something between a server and its clients."""


class ServiceSite:
    """Serves the sessions of `service`, and plain HTTP by `app`."""

    def __init__(self, service: Service, app: ASGIApp) -> None:
        self._service = service
        self.app = app

    def upgrade(self, request: Request) -> Opening | Response:
        if request.path in DEPRECATED_PATHS:
            return refuse_deprecated()
        if request.path not in SOCKET_PATHS:
            return Response(404, f"There is no such path; sessions are opened at {SESSION_PATH}.")
        if self._service.draining:
            # Before the upgrade, so that a load balancer can go to another server.
            retry = ("Retry-After", f"{NO_CAPACITY.retry_after:.0f}")
            return Response(503, "This server is draining; connect to another.", (retry,))
        origins = self._service.options.origins
        origin = request.header("origin")
        if origins is None or origin is None or origin.lower() in origins:
            return self._service.connect
        if is_own_origin(origin, request):
            return self._service.connect
        return Response(
            403,
            "This server lets anybody in, but no web page of another origin: "
            "turnwire serve --allow-origin names those that may.",
        )


def refuse_deprecated() -> Response:
    return Response(DEPRECATED_ENDPOINT.code, DEPRECATED_ENDPOINT.fill(url=SESSION_PATH).text)


def is_own_origin(origin: str, request: Request) -> bool:
    """Whether a page comes from this server itself.

    Its host must be one that nobody else can give a page: any name could be made to point here.
    """
    url = urlsplit(origin)
    scheme = "https" if request.secure else "http"
    return (
        url.scheme == scheme
        and url.netloc.lower() == (request.header("host") or "").lower()
        and _is_this_machine(url.hostname or "")
    )


def _is_this_machine(host: str) -> bool:
    if host in ("localhost", socket.gethostname().lower()):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
