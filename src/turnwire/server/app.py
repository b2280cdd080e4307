"""The ASGI application: which path leads where."""

import asyncio
from dataclasses import dataclass, field

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.websockets import WebSocket

from turnwire import __version__
from turnwire.accounts.admission import Registry
from turnwire.server.clock import Clock, LoopClock
from turnwire.server.connection import Connection
from turnwire.speech.engine import Engine
from turnwire.wire.closures import SERVER_ERROR

SOCKET_PATHS = ("/v3/ws", "/v3/ws/", "/")
"""Where sessions are opened; the last is where AssemblyAI's self-hosted example connects."""

HEALTH_PATHS = ("/health", "/v3/health", "/v3/ws/health")

WIND_UP_SECONDS = 10.0
"""How long open sessions have to deliver their last words when the server stops."""


@dataclass
class Service:
    """What all connections of one server share."""

    engine: Engine
    registry: Registry
    clock: Clock = field(default_factory=LoopClock)
    _open: dict[Connection, asyncio.Task[None] | None] = field(default_factory=dict)
    _stopping: bool = False

    @property
    def open_sessions(self) -> int:
        return len(self._open)

    async def serve(self, websocket: WebSocket) -> None:
        """One connection, from its upgrade to its close."""
        connection = Connection(
            websocket, engine=self.engine, registry=self.registry, clock=self.clock
        )
        self._open[connection] = asyncio.current_task()
        if self._stopping:
            connection.wind_up(SERVER_ERROR.because())
        try:
            await connection.run()
        finally:
            del self._open[connection]

    async def stop(self) -> None:
        """End every session, its last words delivered, and open no more."""
        self._stopping = True
        for connection in self._open:
            connection.wind_up(SERVER_ERROR.because())
        tasks = [task for task in self._open.values() if task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=WIND_UP_SECONDS)
            for task in late:
                task.cancel()


def create_app(service: Service) -> FastAPI:
    """The application that serves `service`."""
    app = FastAPI(title="Turnwire", version=__version__, openapi_url=None)

    async def health() -> dict[str, object]:
        return {
            "status": "ok",
            "version": __version__,
            "model": service.engine.name,
            "sessions": service.open_sessions,
        }

    async def upgrade_required() -> JSONResponse:
        return JSONResponse(
            {"error": "This is a WebSocket endpoint; connect with ws:// or wss://."},
            status_code=426,
            headers={"Upgrade": "websocket"},
        )

    for path in HEALTH_PATHS:
        app.add_api_route(path, health)
    for path in SOCKET_PATHS:
        app.add_api_websocket_route(path, service.serve)
        app.add_api_route(path, upgrade_required)
    return app
