"""The console: its files, and signing in and out of it. The page speaks the admin API only.

Its files are anybody's to read, as there is nothing in them. A browser that brought an admin key
has a cookie that stands for it, so that no script ever holds the key.
"""

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from turnwire.accounts.errors import AccountsError
from turnwire.admin import views
from turnwire.admin.access import (
    ELSEWHERE,
    NO_ACCOUNTS,
    Access,
    RequestRefused,
    client_address,
    is_local,
)
from turnwire.admin.cookies import LIFETIME_SECONDS, Cookies, Unanswered
from turnwire.clock import Clock
from turnwire.server.siblings import Siblings
from turnwire.web.files import answers, no_such_file

PREFIX = "/console"

SIGN_IN, SIGN_OUT = f"{PREFIX}/login", f"{PREFIX}/logout"

HEADER = "x-turnwire-console"
"""What no form of another page can send."""

OTHER_PAGE = (
    "This did not come from the server's own console. "
    "If there is a proxy in between, have it pass on the Host header."
)
NOT_ALL_ANSWER = "A process of this server, which may know who you are, does not answer; try again."
NO_SIGN_IN = 'Signing in takes {"key": "..."}.'


class SignIn(views.Request):
    key: str


class Console:
    def __init__(
        self, access: Access, clock: Clock, siblings: Siblings, *, from_anywhere: bool = False
    ) -> None:
        self._access = access
        self._from_anywhere = from_anywhere
        self._cookies = Cookies(clock, siblings)

    def routes(self) -> list[Route]:
        return [
            Route(SIGN_IN, self._sign_in, methods=["POST"]),
            Route(SIGN_OUT, self._sign_out, methods=["POST"]),
            *_pages(),
        ]

    async def key_of(self, request: Request) -> int | None:
        """The id of the admin key that a request's cookie stands for.

        Raises `RequestRefused` for a change that another page has this browser ask for, and if a
        process that may know the cookie does not answer.
        """
        cookie = request.cookies.get(self._cookies.name)
        try:
            key = None if cookie is None else await self._cookies.key_of(cookie)
        except Unanswered:
            raise RequestRefused(503, NOT_ALL_ANSWER) from None
        if key is not None and request.method not in ("GET", "HEAD"):
            _check_page(request)
        return key

    async def _sign_in(self, request: Request) -> Response:
        try:
            self._check(request)
            key = await self._access.check(await _key_in(request), client_address(request))
        except RequestRefused as refused:
            return refused.response()
        except AccountsError as error:
            return RequestRefused(503, str(error)).response()
        response = Response(status_code=204, headers={"Cache-Control": "no-store"})
        response.set_cookie(
            self._cookies.name,
            self._cookies.issue(key),
            max_age=int(LIFETIME_SECONDS),
            # The browser's own word for it: a proxy may be what speaks TLS.
            secure=request.headers["origin"].startswith("https:"),
            httponly=True,
            samesite="strict",
        )
        return response

    async def _sign_out(self, request: Request) -> Response:
        try:
            self._check(request)
        except RequestRefused as refused:
            return refused.response()
        if (cookie := request.cookies.get(self._cookies.name)) is not None:
            await self._cookies.forget(cookie)
        response = Response(status_code=204, headers={"Cache-Control": "no-store"})
        response.delete_cookie(self._cookies.name, httponly=True, samesite="strict")
        return response

    def _check(self, request: Request) -> None:
        """Raises `RequestRefused` unless this server's page asks, and from where it may."""
        _check_page(request)
        if not self._from_anywhere and not is_local(request):
            raise RequestRefused(403, ELSEWHERE)


def without_accounts() -> list[Route]:
    """The console of a server that has none to show."""
    return [
        Route(SIGN_IN, RequestRefused(404, NO_ACCOUNTS).response(), methods=["POST"]),
        *_pages(),
    ]


def _pages() -> list[Route]:
    return [Route(PREFIX, _page), Route(f"{PREFIX}/{{path:path}}", _file)]


async def _key_in(request: Request) -> str:
    try:
        return SignIn.model_validate_json(await request.body()).key
    except ValidationError:
        raise RequestRefused(400, NO_SIGN_IN) from None


def _check_page(request: Request) -> None:
    """Raises `RequestRefused` unless it is this server's page that asks."""
    origin = request.headers.get("origin", "").partition("://")[2].lower()
    if request.headers.get(HEADER) != "1" or origin != request.headers.get("host", "").lower():
        raise RequestRefused(403, OTHER_PAGE)


async def _page(_: Request) -> Response:
    return _FILES["index.html"]


async def _file(request: Request) -> Response:
    path = request.path_params["path"]
    return _FILES.get(path, no_such_file()) if path else RedirectResponse("../console")


_FILES = answers("console")
