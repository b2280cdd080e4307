"""The ASGI application around the real one: what begins with `/rehearse` is rehearsed."""

from collections import Counter
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from turnwire.server.app import SOCKET_PATHS, refusal
from turnwire.server.clock import Clock
from turnwire.server.rehearsal.menu import as_html, as_json
from turnwire.server.rehearsal.plan import PREFIX, BadPlan, Scene, parse
from turnwire.server.rehearsal.stage import SessionOver, Stage


class Rehearsal:
    """Serves `app`; below `PREFIX`, if that is `enabled`, with what the path asks for."""

    def __init__(self, app: ASGIApp, clock: Clock, *, enabled: bool) -> None:
        self._app = app
        self._clock = clock
        self._enabled = enabled
        self._connections: Counter[str] = Counter()
        """How many there were for each plan."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path != PREFIX and not path.startswith(f"{PREFIX}/"):
            await self._app(scope, receive, send)
        elif not self._enabled:
            await _refuse("Rehearsal is not enabled: turnwire serve --rehearse")(
                scope, receive, send
            )
        elif path.strip("/") == PREFIX.strip("/"):
            await _menu(scope)(scope, receive, send)
        else:
            await self._rehearse(path, scope, receive, send)

    async def _rehearse(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            plan, rest = parse(path)
        except BadPlan as wrong:
            await _refuse(f"{wrong}.")(scope, receive, send)
            return
        inner = {**scope, "path": rest, "raw_path": quote(rest).encode()}
        if scope["type"] != "websocket":
            await self._app(inner, receive, send)
        elif rest not in SOCKET_PATHS:
            await _refuse(f"{rest!r} is no part of a rehearsal, and no session is opened there.")(
                scope, receive, send
            )
        else:
            scene = plan.scene(self._connections[plan.key])
            self._connections[plan.key] += 1
            await self._play(scene, inner, receive, send)

    async def _play(self, scene: Scene, scope: Scope, receive: Receive, send: Send) -> None:
        if scene.fate.play is None:
            await scene.fate.refusal(scene.number)(scope, receive, send)
            return
        stage = Stage(self._app, scope, receive, send, cue=scene.cue, clock=self._clock)
        try:
            await scene.fate.play(stage, scene.number)
        except (SessionOver, OSError):
            # It went as sessions go, or its client did: ASGI has OSError for that.
            pass
        finally:
            await stage.dismiss()


def _refuse(why: str) -> JSONResponse:
    return refusal(404, f"{why} GET {PREFIX} lists what can be rehearsed.")


def _menu(scope: Scope) -> Response:
    if scope["type"] == "websocket":
        return _refuse("Which closure or fault?")
    request = Request(scope)
    server = f"{'wss' if request.url.scheme == 'https' else 'ws'}://{request.url.netloc}"
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(as_html(server))
    return JSONResponse(as_json(server))
