"""How a client gets its connections: where to, and with which credentials."""

import inspect
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from turnwire.client import effects
from turnwire.client.address import session_url
from turnwire.client.closures import ClosedBy, Closure
from turnwire.client.errors import Misuse, raised_for
from turnwire.client.rows import TOKEN_FAILED

if TYPE_CHECKING:
    from turnwire.client.sockets import Report, Socket

TokenProvider = Callable[[], str | Awaitable[str]]
"""Gives a temporary token, or something to await that does."""


class Connector:
    """Opens the connections of one client, a fresh token for each."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None,
        token: TokenProvider | None,
        ca_file: str | Path | None,
    ) -> None:
        """Raises `Misuse` for a `ca_file` that cannot be used."""
        self._base_url = base_url
        self._api_key = api_key
        self._token = token
        self._ssl = None if ca_file is None else _trusting(ca_file)

    def open(
        self, effect: effects.Open, *, report: "Report", unix_time: Callable[[], float]
    ) -> "Socket":
        """A connection that is being opened; `report` is told what becomes of it."""
        # Programs that never connect need not load it.
        from turnwire.client.sockets import Socket

        return Socket(
            effect.leg,
            lambda: self._url(effect.parameters),
            self._api_key,
            self._ssl,
            report=report,
            unix_time=unix_time,
        )

    async def _url(self, parameters: Mapping[str, object]) -> str:
        token = {} if self._token is None else {"token": await _fresh(self._token)}
        return session_url(self._base_url, {**parameters, **token})


async def _fresh(provider: TokenProvider) -> str:
    try:
        token = provider()
        return str(await token if inspect.isawaitable(token) else token)
    except Exception as error:
        row = TOKEN_FAILED
        text = row.fill(problem=repr(error)).text
        closure = Closure(row=row, code=row.code, text=text, by=ClosedBy.NEITHER)
        raise raised_for(closure) from error


def _trusting(ca_file: str | Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        why = error.strerror or error
        raise Misuse(f"The ca_file {str(ca_file)!r} cannot be used: {why}.") from None
