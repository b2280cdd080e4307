"""The HTTP endpoints beside the WebSocket: health, tokens, the closure table."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.types import ASGIApp

from turnwire import __version__
from turnwire.accounts.credentials import UNKNOWN_CREDENTIAL
from turnwire.server.credential import credential_of
from turnwire.server.forwarding import caller
from turnwire.server.health import Health
from turnwire.server.service import Service
from turnwire.server.site import DEPRECATED_PATHS, REHEARSAL_PATH, SOCKET_PATHS, refuse_deprecated
from turnwire.web import live_page
from turnwire.wire.catalogue import closure_rows
from turnwire.wire.closure import Violation
from turnwire.wire.closures import INTERNAL_ERROR
from turnwire.wire.parameters import TokenRequest, describe

HEALTH_PATHS = ("/health", "/v3/health", "/v3/ws/health")

NO_REHEARSAL = "Rehearsal is not enabled: turnwire serve --rehearse"


def create_app(service: Service) -> ASGIApp:
    """The application that serves `service`."""
    app = FastAPI(title="Turnwire", version=__version__, openapi_url=None)
    health = Health(service)

    async def live() -> dict[str, str]:
        return {"status": "ok"}

    async def ready() -> JSONResponse:
        reason = await health.not_ready()
        return JSONResponse({"status": "ok"}) if reason is None else refusal(503, reason)

    async def token(request: Request) -> JSONResponse:
        return await issue_token(service, request)

    def token_by_get() -> JSONResponse:
        return refusal(405, "A token is asked for with GET, its terms in the query string.")

    def deprecated_endpoint() -> JSONResponse:
        response = refuse_deprecated()
        return refusal(response.status, response.text)

    def no_rehearsal() -> JSONResponse:
        return refusal(404, NO_REHEARSAL)

    app.add_api_route("/live", live)
    app.add_api_route("/ready", ready)
    for path in HEALTH_PATHS:
        app.add_api_route(path, health.view)

    async def root(request: Request) -> Response:
        return live_page.page() if live_page.wants_page(request) else upgrade_required()

    app.add_api_route("/", root, response_model=None)
    for path in SOCKET_PATHS:
        app.add_api_route(path, upgrade_required)
    app.router.routes.extend(live_page.routes())
    for extension in service.extensions:
        app.router.routes.extend(extension.routes())
    for path in DEPRECATED_PATHS:
        app.add_api_route(path, deprecated_endpoint, methods=["GET", "POST"])
    for path in (REHEARSAL_PATH, f"{REHEARSAL_PATH}/{{rest:path}}"):
        app.add_api_route(path, no_rehearsal)
    app.add_api_route("/v3/token", token)
    app.add_api_route("/v3/token", token_by_get, methods=["POST", "PUT"])
    app.add_api_route("/v3/closures.json", closure_rows)
    return app


def upgrade_required() -> JSONResponse:
    return JSONResponse(
        {"error": "This is a WebSocket endpoint; connect with ws:// or wss://."},
        status_code=426,
        headers={"Upgrade": "websocket"},
    )


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
        token = await service.leases.issue_token(
            credential_of(request.headers.get("authorization")),
            expires_in=asked.expires_in_seconds,
            max_seconds=asked.max_session_duration_seconds,
        )
    except Violation as violation:
        address = caller(request) or "a proxy"
        if violation.closure == UNKNOWN_CREDENTIAL:
            service.wrong_keys.note(address)
        await service.wrong_keys.slow_down(address)
        return refusal(401, violation.closure.text)
    except Exception:  # noted where it happened
        return refusal(500, INTERNAL_ERROR.fill().text)
    return JSONResponse(
        {"token": token, "expires_in_seconds": asked.expires_in_seconds},
        headers={"Cache-Control": "no-store"},
    )
