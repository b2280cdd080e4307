"""Plain HTTP that comes through a proxy: who asks, and by which scheme."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from turnwire.transport.networks import UNIX, Networks, client_of, is_proxy

FORWARDED_FOR = "x-forwarded-for"

_CALLER = "turnwire.caller"
"""In the scope of a request."""


class BehindProxies:
    """An application whose requests are the client's, where a proxy of these passed them on."""

    def __init__(self, app: ASGIApp, proxies: Networks) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = self._of_client(scope)
        await self._app(scope, receive, send)

    def _of_client(self, scope: Scope) -> Scope:
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope["client"] else UNIX
        if not is_proxy(peer, self._proxies):
            # Whoever it is speaks for others, and nobody vouches for what it says.
            unknown = FORWARDED_FOR in headers or "forwarded" in headers
            return {**scope, _CALLER: None if unknown else peer}
        client = client_of(peer, headers.getlist(FORWARDED_FOR), self._proxies)
        proto = headers.get("x-forwarded-proto", scope["scheme"]).strip().lower()
        scheme = proto if proto in ("http", "https") else scope["scheme"]
        return {**scope, "client": (client, 0), "scheme": scheme, _CALLER: client}


def caller(request: Request) -> str | None:
    """The address of whoever asks; None if it came through a proxy that is not trusted."""
    peer = request.client.host if request.client else None
    address: str | None = request.scope.get(_CALLER, peer)
    return address
