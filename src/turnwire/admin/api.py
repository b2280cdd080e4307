"""The admin API: what an `Administration` does, and what there is to see of this server."""

import logging
import time
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request

from turnwire import __version__
from turnwire.accounts.errors import AccountsError, BadName, NameTaken, NotFound, NotNow
from turnwire.admin import views
from turnwire.admin.access import RequestRefused
from turnwire.admin.feed import Feed
from turnwire.admin.seen import Seen
from turnwire.admin.stored import StoredAdministration
from turnwire.server.service import Service

MOST_STEPS = 2000
"""Points of a chart."""

DAY_SECONDS = 24 * 60 * 60.0

_STATUS: dict[type[AccountsError], int] = {NotFound: 404, NameTaken: 409, NotNow: 409, BadName: 400}
"""Of what an operator can do something about; else the database is out of order."""

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": views.Problem} for status in (400, 401, 403, 404, 409, 503)
}

logger = logging.getLogger(__name__)


def create_api(
    routers: Sequence[APIRouter],
) -> FastAPI:
    """The application; who may use it is asked before it."""
    app = FastAPI(
        title="Turnwire administration",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        responses=_PROBLEMS,
        exception_handlers={
            AccountsError: _accounts_error,
            HTTPException: _http_error,
            RequestRefused: _refused,
            RequestValidationError: _invalid,
            Exception: _failed,
        },
    )
    for router in routers:
        app.include_router(router)
    return app


def administration(admin: StoredAdministration) -> APIRouter:
    """Accounts, keys, and the ledger."""
    router = APIRouter()

    @router.get("/accounts")
    async def accounts() -> views.Accounts:
        return views.Accounts(items=await admin.accounts())

    @router.post("/accounts", status_code=201)
    async def create_account(new: views.NewAccount) -> views.Account:
        return await admin.create_account(new)

    # A name may have slashes in it, so what follows one is looked for first.

    @router.get("/accounts/{name:path}/top-ups")
    async def top_ups(name: str) -> views.TopUps:
        return views.TopUps(items=await admin.top_ups(name))

    @router.post("/accounts/{name:path}/top-ups", status_code=201)
    async def top_up(name: str, new: views.NewTopUp) -> views.TopUp:
        return await admin.top_up(name, new)

    @router.post("/accounts/{name:path}/keys", status_code=201)
    async def create_key(name: str, new: views.NewKey) -> views.CreatedKey:
        return await admin.create_key(name, new.name)

    @router.post("/accounts/{name:path}/tokens", status_code=201)
    async def create_token(name: str, new: views.NewToken) -> views.Token:
        return await admin.create_token(name, new)

    @router.get("/accounts/{name:path}")
    async def account(name: str) -> views.Account:
        return await admin.account(name)

    @router.patch("/accounts/{name:path}")
    async def update_account(name: str, terms: views.Terms) -> views.Account:
        return await admin.update_account(name, terms)

    @router.delete("/accounts/{name:path}")
    async def delete_account(name: str) -> views.Done:
        await admin.delete_account(name)
        return views.Done()

    @router.get("/keys")
    async def keys(account: str | None = None) -> views.Keys:
        return views.Keys(items=await admin.keys(account))

    @router.delete("/keys/{id}")
    async def revoke_key(id: int) -> views.Key:
        return await admin.revoke_key(id)

    @router.get("/sessions")
    async def sessions(which: Annotated[views.SessionFilter, Query()]) -> views.Sessions:
        return await admin.sessions(which)

    @router.get("/sessions/{id}")
    async def session(id: str) -> views.Session:
        return await admin.session(id)

    @router.post("/sessions/{id}/end", status_code=202)
    async def end_session(id: str) -> views.Done:
        await admin.end_session(id)
        return views.Done()

    @router.get("/usage", response_model_exclude_unset=True)
    async def usage(which: Annotated[views.UsageFilter, Query()]) -> views.UsageRows:
        return views.UsageRows(items=await admin.usage(which))

    @router.get("/closures")
    async def closures(which: Annotated[views.ClosuresFilter, Query()]) -> views.Closures:
        until = time.time() if which.until is None else which.until
        since = until - DAY_SECONDS if which.since is None else which.since
        if not 0 <= (until - since) / which.step <= MOST_STEPS:
            raise HTTPException(400, f"That would be more than {MOST_STEPS} steps, or none.")
        return await admin.closures(which.step, since, until)

    return router


def observation(service: Service, seen: Seen, feed: Feed) -> APIRouter:
    """This server, and those beside it."""
    router = APIRouter()

    @router.get("/live")
    async def live_sessions() -> views.Live:
        return seen.live(await seen.parts())

    @router.get("/engine")
    async def engine() -> views.Engine:
        return seen.engine(await seen.parts())

    @router.get("/nodes")
    async def nodes() -> views.Nodes:
        return await seen.nodes(await seen.parts())

    @router.post("/drain", status_code=202)
    async def drain() -> views.Done:
        service.ask_to_drain()
        return views.Done()

    @router.get("/events", response_model=None)
    async def events(request: Request) -> EventSourceResponse:
        return EventSourceResponse(feed.listen(request.state.admin_key))

    return router


async def _accounts_error(_: Request, error: Exception) -> JSONResponse:
    status = _STATUS.get(type(error), 503)  # type: ignore[arg-type]
    return JSONResponse({"error": str(error)}, status_code=status)


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    sentences = {404: "There is no such path.", 405: "There is no such method for this path."}
    text = str(error.detail) if error.status_code == 400 else sentences.get(error.status_code)
    return JSONResponse(
        {"error": text or f"{error.detail}."}, status_code=error.status_code, headers=error.headers
    )


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestRefused)
    return error.response()


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:]) or "The body"
    why = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    return JSONResponse({"error": f"{name!r} cannot be used: {why}."}, status_code=400)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    # The path alone: a query may have names in it.
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return JSONResponse({"error": "Something failed; the server's log has it."}, status_code=500)
