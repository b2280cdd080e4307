"""A prefix of all paths, for servers behind a proxy that keeps it: /stt/v3/ws."""

from dataclasses import replace
from urllib.parse import quote

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from turnwire.clock import Clock
from turnwire.server.site import Interceptor, Site
from turnwire.transport.request import Request, Response
from turnwire.transport.socket import Opening


class BelowPath:
    """A site whose paths have a prefix; without it they work too, for whoever needs no proxy."""

    def __init__(self, site: Site, prefix: str) -> None:
        self._site = site
        self._prefix = prefix

    @property
    def app(self) -> ASGIApp:
        return self._serve

    def upgrade(self, request: Request) -> Opening | Response:
        _, mark, query = request.target.partition("?")
        inner = replace(request, target=f"{quote(self._inner(request.path))}{mark}{query}")
        return self._site.upgrade(inner if inner.path != request.path else request)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == self._prefix:
            # The page names its files as they lie beside it: below the prefix.
            query = scope["query_string"].decode("latin-1")
            target = f"{self._prefix.rpartition('/')[2]}/{'?' if query else ''}{query}"
            await RedirectResponse(target)(scope, receive, send)
            return
        path = self._inner(scope["path"])
        if path != scope["path"]:
            scope = {**scope, "path": path, "raw_path": quote(path).encode()}
        await self._site.app(scope, receive, send)

    def _inner(self, path: str) -> str:
        if path == self._prefix or path.startswith(f"{self._prefix}/"):
            return path.removeprefix(self._prefix) or "/"
        return path


def below(prefix: str, inner: Interceptor | None) -> Interceptor | None:
    """Puts the prefix before what `inner` intercepts; an empty prefix is none."""
    trimmed = prefix.strip("/")
    if not trimmed:
        return inner

    def intercept(site: Site, clock: Clock) -> Site:
        return BelowPath(inner(site, clock) if inner is not None else site, f"/{trimmed}")

    return intercept
