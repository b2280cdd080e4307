"""What is served, and its lifespan.

All that one process shares begins with the lifespan and ends with it: the engine, the connection to
the accounts, the sessions.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from turnwire.asgi.socket import AsgiSocket
from turnwire.assembly import extensions
from turnwire.server.app import create_app as create_http_app
from turnwire.server.composition import open_service
from turnwire.server.engine import engine_of
from turnwire.server.service import Service
from turnwire.server.settings import Settings, SettingsError, load_settings
from turnwire.server.site import ServiceSite, Site
from turnwire.server.upkeep import kept_up
from turnwire.speech.engine import Engine
from turnwire.transport.request import BadRequest, Request, Response

NOT_STARTED = (
    "Turnwire has not been started: run its lifespan, as `FastAPI(lifespan=app.lifespan)` does."
)


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """What exists for as long as the lifespan lasts."""

    service: Service
    site: Site


class Application:
    """An ASGI application: sessions, the endpoints beside them, and their lifespan."""

    def __init__(self, settings: Settings, engine: Engine | None = None) -> None:
        self._settings = settings
        self._engine = engine
        self._running: Running | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._running is None:
            raise RuntimeError(NOT_STARTED)
        elif scope["type"] == "websocket":
            await _serve(self._running.site, scope, receive, send)
        else:
            await self._running.site.app(scope, receive, send)

    @asynccontextmanager
    async def lifespan(self, host: object = None) -> AsyncIterator[None]:
        """From its start to its end; an application that mounts this one runs it in its own.

        The way out ends all sessions, their last words delivered. Raises
        `turnwire.speech.engine.EngineError` and `turnwire.accounts.errors.AccountsError`.
        """
        engine = self._engine
        if engine is None:
            engine = await asyncio.to_thread(engine_of, self._settings)
        service = await open_service(self._settings, engine, extensions(self._settings))
        async with contextlib.aclosing(service), kept_up(service):
            self._running = Running(service, ServiceSite(service, create_http_app(service)))
            try:
                yield
            finally:
                self._running = None

    async def drain(self) -> None:
        """Take no new sessions, and let the open ones go on for `drain_seconds` at most.

        For hosts that close their connections before they end the lifespan: call it before.
        """
        if self._running is not None:
            service = self._running.service
            await service.drain(self._settings.drain_seconds, asyncio.Event())
            await service.stop()

    async def _live(self, receive: Receive, send: Send) -> None:
        """The lifespan protocol; an application that could not start says why."""
        await receive()
        stage = "startup"
        try:
            async with self.lifespan():
                await send({"type": "lifespan.startup.complete"})
                stage = "shutdown"
                await receive()
        except Exception as error:
            logger.exception("the %s failed", stage)
            await send({"type": f"lifespan.{stage}.failed", "message": str(error)})
        else:
            await send({"type": "lifespan.shutdown.complete"})


def create_app(settings: Settings | None = None, *, engine: Engine | None = None) -> Application:
    """An application for these settings; None: those of the environment.

    Settings of what only `turnwire serve` has, such as its port, mean nothing here. An engine that
    is given is used instead of the settings' model. Raises `SettingsError`.
    """
    settings = settings or load_settings()
    if settings.rehearse:
        raise SettingsError("Rehearsal needs a transport of its own: turnwire serve --rehearse.")
    return Application(settings, engine)


async def _serve(site: Site, scope: Scope, receive: Receive, send: Send) -> None:
    await receive()  # the client's wish to connect
    try:
        outcome = site.upgrade(_request(scope))
    except BadRequest as wrong:
        outcome = wrong.response
    if isinstance(outcome, Response):
        await _refuse(outcome, scope, receive, send)
        return
    await send({"type": "websocket.accept"})
    await AsgiSocket(_request(scope), receive, send).serve(outcome)


def _request(scope: Scope) -> Request:
    """The handshake. Raises `BadRequest`."""
    path = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
    query = scope["query_string"].decode("latin-1")
    connection = HTTPConnection(scope)
    return Request(
        method="GET",
        target=quote(path) + (f"?{query}" if query else ""),
        version=scope["http_version"],
        headers=connection.headers.items(),
        address=connection.client.host if connection.client else "",
        secure=scope["scheme"] == "wss",
    )


async def _refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    headers = dict(response.headers)
    await JSONResponse({"error": response.text}, response.status, headers)(scope, receive, send)
