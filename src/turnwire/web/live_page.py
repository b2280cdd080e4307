"""The live page: speak, or drop a file, and watch turns form; `live/` has its files."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from turnwire.web.files import HEADERS, answers, no_such_file
from turnwire.wire.catalogue import parameter_rows

PREFIX = "/live"

_HEADERS = HEADERS | {"Permissions-Policy": "microphone=(self), camera=(), geolocation=()"}


def wants_page(request: Request) -> bool:
    """Whether a browser shows the answer to a person."""
    return "text/html" in request.headers.get("accept", "")


def page() -> Response:
    """The page itself."""
    return _FILES["index.html"]


def routes() -> list[Route]:
    """Where the page's files are."""
    return [
        Route(f"{PREFIX}/parameters.json", _parameters),
        Route(f"{PREFIX}/{{name}}", _file),
    ]


async def _parameters(_: Request) -> Response:
    return JSONResponse(parameter_rows(), headers=_HEADERS)


async def _file(request: Request) -> Response:
    return _FILES.get(request.path_params["name"]) or no_such_file()


_FILES = answers("live", _HEADERS)
