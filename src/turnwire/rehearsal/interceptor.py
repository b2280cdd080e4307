"""What puts rehearsal between a server and its clients: it takes all paths below `/rehearse`."""

import asyncio
from dataclasses import replace
from urllib.parse import quote

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse
from starlette.responses import Response as HttpResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from turnwire.clock import Clock
from turnwire.rehearsal.menu import as_html, as_json
from turnwire.rehearsal.plan import PREFIX, BadPlan, Plan, Scene, parse
from turnwire.rehearsal.stage import SessionOver, Stage
from turnwire.server.connection import Connection
from turnwire.server.site import SOCKET_PATHS, Site
from turnwire.transport.request import Request, Response
from turnwire.transport.socket import Opening, Receiver, Socket
from turnwire.transport.websocket import WebSocket

MOST_SEQUENCES = 10_000
"""How many sequences know where they are; the one asked for longest ago begins anew."""


class Rehearsal:
    """A site around `site`, which it serves, and below `PREFIX` with what the path asks for."""

    def __init__(self, site: Site, clock: Clock) -> None:
        self._site = site
        self._clock = clock
        self._connections: dict[str, int] = {}
        """How many there were for each sequence."""

    @property
    def app(self) -> ASGIApp:
        return self._serve

    def upgrade(self, request: Request) -> Opening | Response:
        if not _is_below(request.path):
            return self._site.upgrade(request)
        if request.path.strip("/") == PREFIX.strip("/"):
            return _refusal("Which closure or fault?")
        try:
            plan, rest = parse(request.path)
        except BadPlan as wrong:
            return _refusal(f"{wrong}.")
        if rest not in SOCKET_PATHS:
            return _refusal(f"{rest!r} is no part of a rehearsal, and no session is opened there.")
        query = request.target.partition("?")[2]
        inner = replace(request, target=f"{quote(rest)}?{query}")
        opening = self._site.upgrade(inner)
        if isinstance(opening, Response):
            return opening
        return self._opening(self._scene(plan), inner, opening)

    def _scene(self, plan: Plan) -> Scene:
        if len(plan.scenes) == 1:
            return plan.scenes[0]
        count = self._connections.pop(plan.key, 0)
        self._connections[plan.key] = count + 1
        if len(self._connections) > MOST_SEQUENCES:
            del self._connections[next(iter(self._connections))]
        return plan.scene(count)

    def _opening(self, scene: Scene, request: Request, opening: Opening) -> Opening | Response:
        if scene.scenario.play is None:
            return scene.scenario.refusal(scene.number)

        def open_(socket: Socket) -> Receiver:
            assert isinstance(socket, WebSocket)
            stage = Stage(socket, request, cue=scene.cue, clock=self._clock)
            session = opening(stage)
            assert isinstance(session, Connection)
            stage.begin(session, asyncio.create_task(_play(scene, stage)))
            return stage

        return open_

    # Plain HTTP.

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if not _is_below(path):
            await self._site.app(scope, receive, send)
        elif path.strip("/") == PREFIX.strip("/"):
            await _menu(HttpRequest(scope))(scope, receive, send)
        else:
            try:
                _, rest = parse(path)
            except BadPlan as wrong:
                refusal = _refusal(f"{wrong}.")
                answer = JSONResponse({"error": refusal.text}, refusal.status)
                await answer(scope, receive, send)
                return
            inner = {**scope, "path": rest, "raw_path": quote(rest).encode()}
            await self._site.app(inner, receive, send)


async def _play(scene: Scene, stage: Stage) -> None:
    assert scene.scenario.play is not None
    try:
        await scene.scenario.play(stage, scene.number)
    except SessionOver:
        pass  # It went as sessions go.
    finally:
        await stage.dismiss()


def _is_below(path: str) -> bool:
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def _refusal(why: str) -> Response:
    return Response(404, f"{why} GET {PREFIX} lists what can be rehearsed.")


def _menu(request: HttpRequest) -> HttpResponse:
    server = f"{'wss' if request.url.scheme == 'https' else 'ws'}://{request.url.netloc}"
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(as_html(server))
    return JSONResponse(as_json(server))
