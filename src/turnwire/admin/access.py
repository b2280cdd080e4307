"""Who may use the admin API: those with an admin key, and from this machine unless it is open to
others."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turnwire.accounts.admin_keys import AdminKeys
from turnwire.accounts.errors import AccountsError
from turnwire.server.credential import credential_of
from turnwire.server.forwarding import caller
from turnwire.server.wrong_keys import WrongKeys
from turnwire.transport.networks import LOOPBACK, UNIX

UNREAD = ("forwarded", "x-real-ip")
"""What a proxy may say of who asks, and this server does not read."""

ELSEWHERE = (
    "This answers clients on the server's own machine only, unless the server is started with "
    "--admin-from-anywhere."
)
NO_KEY = "An admin key is needed; `turnwire admin create-key` makes one."
WRONG_KEY = "This is no admin key, or it was revoked."
NO_ACCOUNTS = "This server has no accounts to look after: it lets everybody in (--no-auth)."


class RequestRefused(Exception):
    """A request is not served; the text is one sentence."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status

    def response(self) -> JSONResponse:
        headers = {"Cache-Control": "no-store"}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse({"error": str(self)}, status_code=self.status, headers=headers)


class Access:
    """Tells admin keys from others."""

    def __init__(self, keys: AdminKeys, wrong_keys: WrongKeys) -> None:
        self._keys = keys
        self._wrong_keys = wrong_keys

    async def check(self, credential: str | None, address: str) -> int:
        """The id of the admin key that was brought. Raises `RequestRefused`."""
        if not credential:
            raise RequestRefused(401, NO_KEY)
        key = await self._keys.identify(credential)
        if key is None:
            self._wrong_keys.note(address)
            await self._wrong_keys.slow_down(address)
            raise RequestRefused(401, WRONG_KEY)
        return key

    async def stands(self, key: int) -> bool:
        """Whether this admin key was not revoked meanwhile."""
        return await self._keys.valid(key)


def client_address(request: Request) -> str:
    """Who asks, as far as that is known."""
    return caller(request) or (request.client.host if request.client else UNIX)


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine, and not through a proxy on it.

    A unix socket is there for a proxy.
    """
    if any(header in request.headers for header in UNREAD):
        return False
    return caller(request) in LOOPBACK


class LocalOnly:
    """An application for clients on this machine; nothing of it is kept by anybody."""

    def __init__(self, app: ASGIApp, *, from_anywhere: bool) -> None:
        self._app = app
        self._from_anywhere = from_anywhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._from_anywhere and not is_local(Request(scope)):
            await RequestRefused(403, ELSEWHERE).response()(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "cache-control" not in headers:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, send_on)


class KeyRequired:
    """An application for those with an admin key, or with a cookie that stands for one.

    The id of the key is in the request's state, as `admin_key`.
    """

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        cookie: Callable[[Request], Awaitable[int | None]],
    ) -> None:
        """`cookie` gives the id of the key that a request's cookie stands for; it may refuse."""
        self._app = app
        self._access = access
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            key = await self._key(Request(scope))
        except RequestRefused as refused:
            await refused.response()(scope, receive, send)
            return
        except AccountsError as error:
            await RequestRefused(503, str(error)).response()(scope, receive, send)
            return
        scope.setdefault("state", {})["admin_key"] = key
        await self._app(scope, receive, send)

    async def _key(self, request: Request) -> int:
        given = credential_of(Headers(scope=request.scope).get("authorization"))
        if given is None:
            key = await self._cookie(request)
            if key is not None and await self._access.stands(key):
                return key
        return await self._access.check(given, client_address(request))
