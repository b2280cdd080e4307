"""The files of a page, read once, with what a browser is to know of them."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePath

from starlette.responses import JSONResponse, Response

HEADERS = {
    # What a page loads and calls is its own server, and nothing else.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'",
    "Permissions-Policy": "microphone=(), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

_MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def answers(folder: str, headers: Mapping[str, str] = HEADERS) -> dict[str, Response]:
    """An answer for each file in a folder beside this module, by its path in there."""
    return {
        path: Response(
            file.read_bytes(),
            media_type=_MEDIA_TYPES.get(PurePath(path).suffix, "text/plain"),
            headers=dict(headers),
        )
        for path, file in _walk(files("turnwire.web").joinpath(folder))
    }


def no_such_file() -> Response:
    return JSONResponse({"error": "There is no such file."}, status_code=404)


def _walk(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry
