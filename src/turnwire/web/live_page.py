"""The live page: speak, or drop a file, and watch turns form; `live/` has its files."""

from importlib.resources import files
from pathlib import PurePath

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from turnwire.wire.catalogue import parameter_rows

PREFIX = "/live"

HEADERS = {
    # What the page loads and calls is its own server, and nothing else.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


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
    return JSONResponse(parameter_rows(), headers=HEADERS)


async def _file(request: Request) -> Response:
    return _FILES.get(request.path_params["name"]) or JSONResponse(
        {"error": "There is no such file."}, status_code=404
    )


_MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

_FILES = {
    file.name: Response(
        file.read_bytes(), media_type=_MEDIA_TYPES[PurePath(file.name).suffix], headers=HEADERS
    )
    for file in files("turnwire.web").joinpath("live").iterdir()
}
