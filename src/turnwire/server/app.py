"""The ASGI application: which path leads where."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from turnwire import __version__
from turnwire.server.connection import credential_of
from turnwire.server.service import Service
from turnwire.web import live_page
from turnwire.wire.catalogue import closure_rows
from turnwire.wire.closures import DEPRECATED_ENDPOINT, INTERNAL_ERROR, Violation
from turnwire.wire.limits import SESSION_PATH
from turnwire.wire.parameters import TokenRequest, describe

SOCKET_PATHS = (SESSION_PATH, f"{SESSION_PATH}/", "/")
"""Where sessions are opened; the last is where AssemblyAI's self-hosted example connects."""

HEALTH_PATHS = ("/health", "/v3/health", f"{SESSION_PATH}/health")

DEPRECATED_PATHS = ("/v2/realtime/ws", "/v2/realtime/token")

logger = logging.getLogger(__name__)


class SessionsFirst:
    """Serves sessions, and leaves all else to the application.

    Each layer of that would wait for the session's end, and so cost memory for as long.
    """

    def __init__(self, service: Service, app: ASGIApp) -> None:
        self._service = service
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and scope["path"] in SOCKET_PATHS:
            await self._service.serve(WebSocket(scope, receive, send))
        else:
            await self._app(scope, receive, send)


def create_app(service: Service) -> ASGIApp:
    """The application that serves `service`."""
    app = FastAPI(title="Turnwire", version=__version__, openapi_url=None)

    async def health() -> dict[str, Any]:
        return {
            "status": "ok",
            "version": __version__,
            "model": service.engine.name,
            "sessions": service.open_sessions,
            "max_sessions": service.session_limit,
            "event_loop_lag_ms": round(1000 * service.lag.worst, 1),
        }

    async def token(request: Request) -> JSONResponse:
        return await issue_token(service, request)

    async def deny(websocket: WebSocket) -> None:
        await websocket.send_denial_response(deprecated_endpoint())

    for path in HEALTH_PATHS:
        app.add_api_route(path, health)

    async def root(request: Request) -> Response:
        return live_page.page() if live_page.wants_page(request) else upgrade_required()

    app.add_api_route("/", root, response_model=None)
    for path in SOCKET_PATHS:
        app.add_api_route(path, upgrade_required)
    app.router.routes.extend(live_page.routes())
    for path in DEPRECATED_PATHS:
        app.add_api_websocket_route(path, deny)
        app.add_api_route(path, deprecated_endpoint, methods=["GET", "POST"])
    app.add_api_route("/v3/token", token)
    app.add_api_route("/v3/closures.json", closure_rows)
    return SessionsFirst(service, app)


def upgrade_required() -> JSONResponse:
    return JSONResponse(
        {"error": "This is a WebSocket endpoint; connect with ws:// or wss://."},
        status_code=426,
        headers={"Upgrade": "websocket"},
    )


def deprecated_endpoint() -> JSONResponse:
    return refusal(DEPRECATED_ENDPOINT.code, DEPRECATED_ENDPOINT.fill(url=SESSION_PATH).text)


def refusal(status: int, text: str) -> JSONResponse:
    return JSONResponse({"error": text}, status_code=status)


async def issue_token(service: Service, request: Request) -> JSONResponse:
    """A temporary token for the bearer of a key."""
    try:
        asked = TokenRequest.model_validate(dict(request.query_params))
    except ValidationError as error:
        wrong = describe(error)
        return refusal(400, f"Invalid '{wrong['name']}': {wrong['detail']}")
    try:
        token = await service.registry.issue_token(
            credential_of(request),
            expires_in=asked.expires_in_seconds,
            max_seconds=asked.max_session_duration_seconds,
        )
    except Violation as violation:
        return refusal(401, violation.closure.text)
    except Exception:
        logger.exception("a token could not be issued")
        return refusal(500, INTERNAL_ERROR.fill().text)
    return JSONResponse({"token": token, "expires_in_seconds": asked.expires_in_seconds})
