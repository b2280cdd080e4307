"""What operators do, done by the admin API of a server."""

import asyncio
import json
import ssl
import urllib.request
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit

from pydantic import BaseModel, ValidationError

from turnwire.accounts.errors import AccountsError
from turnwire.admin import views
from turnwire.admin.paths import PREFIX

ANSWER_SECONDS = 30.0

ANSWER_BYTES = 64 * 1024 * 1024

V = TypeVar("V", bound=views.View)

_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class RemoteFailed(AccountsError):
    """The server cannot be reached, or it refuses."""


class RemoteAdministration:
    """An `Administration`. Whatever fails raises `RemoteFailed`."""

    def __init__(self, address: str, key: str | None, ca_file: Path | None = None) -> None:
        """`address` is such as http://localhost:8080."""
        self._base = _base(address)
        self._key = key
        self._opener = _opener(self._base, ca_file)

    async def accounts(self) -> list[views.Account]:
        return (await self._get("accounts", views.Accounts)).items

    async def account(self, name: str) -> views.Account:
        return await self._get(_account(name), views.Account)

    async def create_account(self, new: views.NewAccount) -> views.Account:
        return await self._ask("POST", "accounts", views.Account, new)

    async def update_account(self, name: str, terms: views.Terms) -> views.Account:
        return await self._ask("PATCH", _account(name), views.Account, terms)

    async def delete_account(self, name: str) -> None:
        await self._ask("DELETE", _account(name), views.Done)

    async def top_up(self, account: str, new: views.NewTopUp) -> views.TopUp:
        return await self._ask("POST", f"{_account(account)}/top-ups", views.TopUp, new)

    async def top_ups(self, account: str) -> list[views.TopUp]:
        return (await self._get(f"{_account(account)}/top-ups", views.TopUps)).items

    async def keys(self, account: str | None = None) -> list[views.Key]:
        query = {} if account is None else {"account": account}
        return (await self._get("keys", views.Keys, query)).items

    async def create_key(self, account: str, name: str) -> views.CreatedKey:
        new = views.NewKey(name=name)
        return await self._ask("POST", f"{_account(account)}/keys", views.CreatedKey, new)

    async def take_back_key(self, key: views.CreatedKey) -> None:
        await self.revoke_key(key.id)

    async def revoke_key(self, id: int) -> views.Key:
        return await self._ask("DELETE", f"keys/{id}", views.Key)

    async def create_token(self, account: str, new: views.NewToken) -> views.Token:
        return await self._ask("POST", f"{_account(account)}/tokens", views.Token, new)

    async def sessions(self, which: views.SessionFilter) -> views.Sessions:
        return await self._get("sessions", views.Sessions, _query(which))

    async def session(self, id: str) -> views.Session:
        return await self._get(f"sessions/{quote(id, safe='')}", views.Session)

    async def end_session(self, id: str) -> None:
        await self._ask("POST", f"sessions/{quote(id, safe='')}/end", views.Done)

    async def usage(self, which: views.UsageFilter) -> list[views.Usage]:
        return (await self._get("usage", views.UsageRows, _query(which))).items

    async def drain(self) -> None:
        """Have that server take no new sessions, and end with its open ones."""
        await self._ask("POST", "drain", views.Done)

    async def _get(self, path: str, kind: type[V], query: dict[str, Any] | None = None) -> V:
        return await self._ask("GET", f"{path}?{urlencode(query or {}, doseq=True)}", kind)

    async def _ask(self, method: str, path: str, kind: type[V], body: BaseModel | None = None) -> V:
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


def _account(name: str) -> str:
    return f"accounts/{quote(name, safe='')}"


def _query(which: BaseModel) -> dict[str, Any]:
    return which.model_dump(exclude_unset=True, exclude_none=True, mode="json")
