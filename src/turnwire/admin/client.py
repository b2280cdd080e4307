"""A client of the admin API of a server."""

import asyncio
import json
import ssl
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, ValidationError

from turnwire.accounts.errors import AccountsError
from turnwire.admin.paths import PREFIX

ANSWER_SECONDS = 30.0

ANSWER_BYTES = 64 * 1024 * 1024

V = TypeVar("V", bound=BaseModel)

_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class RemoteFailed(AccountsError):
    """The server cannot be reached, or it refuses."""


class AdminApi:
    """Asks one server. Whatever fails raises `RemoteFailed`."""

    def __init__(self, address: str, key: str | None, ca_file: Path | None = None) -> None:
        """`address` is such as http://localhost:8080."""
        self._base = _base(address)
        self._key = key
        self._opener = _opener(self._base, ca_file)

    async def get(self, path: str, kind: type[V], query: Mapping[str, Any] | None = None) -> V:
        return await self.ask("GET", f"{path}?{urlencode(query or {}, doseq=True)}", kind)

    async def ask(self, method: str, path: str, kind: type[V], body: BaseModel | None = None) -> V:
        request = urllib.request.Request(f"{self._base}{PREFIX}/{path}", method=method)
        if self._key is not None:
            request.add_header("Authorization", self._key)
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = body.model_dump_json(exclude_unset=True).encode()
        answer = await asyncio.to_thread(self._answer, request)
        try:
            return kind.model_validate_json(answer)
        except ValidationError:
            raise RemoteFailed(
                f"The server at {self._base} answers what this version does not understand."
            ) from None

    def _answer(self, request: urllib.request.Request) -> bytes:
        try:
            with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
                return bytes(answer.read(ANSWER_BYTES))
        except HTTPError as error:
            with error:
                raise RemoteFailed(self._refusal(error.code, error.read(ANSWER_BYTES))) from None
        except (OSError, HTTPException) as error:
            why = error.reason if isinstance(error, URLError) else error
            why = why.strerror if isinstance(why, OSError) and why.strerror else why
            raise RemoteFailed(f"The server at {self._base} cannot be reached: {why}.") from None

    def _refusal(self, status: int, answer: bytes) -> str:
        try:
            return str(json.loads(answer)["error"])
        except (ValueError, LookupError, TypeError):
            return f"The server at {self._base} has no admin API: it answers {status}."


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key is for one server, and goes to no other."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


def _opener(base: str, ca_file: Path | None) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if urlsplit(base).hostname in ("localhost", "127.0.0.1", "::1"):
        # No proxy leads back here.
        handlers.append(urllib.request.ProxyHandler({}))
    if ca_file is not None:
        try:
            context = ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise RemoteFailed(f"{ca_file} has no certificates: {error.strerror}.") from None
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers)


def _base(address: str) -> str:
    try:
        url = urlsplit(address.strip())
        scheme, port = _SCHEMES.get(url.scheme), url.port
    except ValueError:
        scheme, port = None, None
    if scheme is None or not url.hostname or port == 0:
        raise RemoteFailed(
            f"{address!r} is not the address of a server; expected something like "
            "http://localhost:8080."
        )
    return f"{scheme}://{url.netloc}{url.path.rstrip('/')}"
