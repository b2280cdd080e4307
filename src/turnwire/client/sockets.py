"""The WebSockets of a stream: what its effects do to them, and the events that come of it."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Protocol
from urllib.parse import urljoin, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, ProxyError, WebSocketException
from websockets.frames import Close
from websockets.http11 import Response

from turnwire.client.address import is_loopback
from turnwire.client.closures import ClosedBy, Closure, handshake_row
from turnwire.client.errors import SessionClosed
from turnwire.client.events import (
    CloseFrame,
    Disconnected,
    LegEvent,
    Opened,
    OpenFailed,
    Ponged,
    Received,
    Sent,
)
from turnwire.client.leg import CLOSE_SECONDS
from turnwire.client.rows import (
    HOST_NOT_FOUND,
    NOT_A_WEBSOCKET,
    PROXY_FAILED,
    REDIRECTED,
    TLS_FAILED,
    UNREACHABLE,
)

_REDIRECTIONS = (301, 302, 303, 307, 308)

LONGEST_LOCATION = 200
"""How much is said of where an answer redirects to."""

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
MAX_UNREAD_MESSAGES = 1024
"""Beyond these the socket is not read, until some have been."""


class Report(Protocol):
    """Takes what happened; waits while the program has too much to deal with."""

    def __call__(self, event: LegEvent) -> Awaitable[None]: ...


class Socket:
    """The connection of one leg."""

    def __init__(
        self,
        leg: int,
        url: Callable[[], Awaitable[str]],
        api_key: str | None,
        tls: ssl.SSLContext | None,
        *,
        report: Report,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        """`url` gives the URL to open, or raises the `SessionClosed` of having none."""
        self._leg = leg
        self._url = url
        self._api_key = api_key
        self._tls = tls
        self._report = report
        self._unix_time = unix_time
        self._socket: ClientConnection | None = None
        self._outbox: asyncio.Queue[str | bytes | None] = asyncio.Queue()  # None: a ping
        self._others: set[asyncio.Task[None]] = set()
        self._life = asyncio.create_task(self._live())

    @property
    def task(self) -> asyncio.Task[None]:
        """Done when the connection is over and everything has been reported."""
        return self._life

    def send(self, frame: str | bytes) -> None:
        self._outbox.put_nowait(frame)

    def ping(self) -> None:
        """Ping the server behind what was sent before, and ahead of what is sent from here on."""
        self._outbox.put_nowait(None)

    def close(self) -> None:
        """Close in an orderly way; within 5 s, or else break it."""
        if self._socket is None:
            self.drop()
        else:
            self._begin(self._socket.close())

    def drop(self) -> None:
        """Break the connection, or stop opening it."""
        self._life.cancel()

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._others.add(task)
        task.add_done_callback(self._others.discard)

    async def _live(self) -> None:
        try:
            try:
                self._socket = connection = await self._opened()
            except SessionClosed as refusal:
                await self._report(OpenFailed(self._leg, refusal.closure, refusal.__cause__))
                return
            await self._report(Opened(self._leg, self._unix_time()))
            self._begin(self._write(connection))
            await self._read(connection)
        except asyncio.CancelledError:
            # By `drop`, and by nobody else.
            pass
        finally:
            if self._socket is not None:
                self._socket.transport.abort()
            await self._end_others()

    async def _end_others(self) -> None:
        others = list(self._others)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _opened(self) -> ClientConnection:
        url = await self._url()
        shown = url.partition("?")[0]  # the query may hold a token
        try:
            return await _Connect(
                url,
                additional_headers={"Authorization": self._api_key} if self._api_key else None,
                ssl=(self._tls or True) if url.startswith("wss:") else None,
                # A proxy that the environment names cannot reach this machine's own ports.
                proxy=None if is_loopback(url) else True,
                open_timeout=None,
                ping_interval=None,  # The stream knows better when.
                close_timeout=CLOSE_SECONDS,
                max_size=MAX_MESSAGE_BYTES,
                max_queue=MAX_UNREAD_MESSAGES,
            )
        except InvalidStatus as error:
            raise SessionClosed(_handshake_closure(shown, error)) from error
        except (OSError, WebSocketException, ImportError) as error:
            raise SessionClosed(_no_connection(url, error)) from error

    async def _write(self, connection: ClientConnection) -> None:
        try:
            while True:
                frame = await self._outbox.get()
                if frame is None:
                    self._begin(self._await_pong(await connection.ping()))
                    continue
                await connection.send(frame)
                await self._report(Sent(self._leg))
        except ConnectionClosed:
            pass  # How it ended, reading finds out.

    async def _await_pong(self, pong: Awaitable[float]) -> None:
        try:
            await pong
        except ConnectionClosed:
            return
        await self._report(Ponged(self._leg))

    async def _read(self, connection: ClientConnection) -> None:
        try:
            while True:
                await self._report(Received(self._leg, await connection.recv()))
        except ConnectionClosed as end:
            await self._report(
                Disconnected(
                    self._leg,
                    received=_frame(end.rcvd),
                    sent=_frame(end.sent),
                    server_first=end.rcvd_then_sent is True,
                )
            )


class _Connect(connect):
    """Follows no redirection: who gets the key is the program's to say."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


def _frame(close: Close | None) -> CloseFrame | None:
    return None if close is None else CloseFrame(close.code, close.reason)


def _no_connection(url: str, error: Exception) -> Closure:
    """Why there is none, as one of the rows that a client sees alone."""
    shown = url.partition("?")[0]
    problem = error.strerror if isinstance(error, ssl.SSLError | socket.gaierror) else None
    details = {
        "address": shown,
        "host": urlsplit(url).hostname,
        "proxy": _proxy(url),
        "problem": problem or error,
    }
    if isinstance(error, ProxyError | ImportError) or (
        details["proxy"] and isinstance(error, OSError)
    ):
        row = PROXY_FAILED
    elif isinstance(error, ssl.SSLError):
        row = TLS_FAILED
        details["problem"] = getattr(error, "verify_message", None) or error.reason or error
    elif isinstance(error, socket.gaierror):
        row = HOST_NOT_FOUND
    elif isinstance(error, ConnectionResetError | EOFError) and url.startswith("wss:"):
        row = TLS_FAILED
        details["problem"] = "the server closed the connection"
    elif isinstance(error, WebSocketException | ConnectionResetError | EOFError):
        row = NOT_A_WEBSOCKET
    else:
        row = UNREACHABLE
    return Closure(row=row, code=row.code, text=row.fill(**details).text, by=ClosedBy.NEITHER)


def _proxy(url: str) -> str:
    """The proxy that the environment names for this URL, without a password; empty: none."""
    parts = urlsplit(url)
    if is_loopback(url) or proxy_bypass(parts.netloc):
        return ""
    schemes = (
        ("wss", "socks", "https") if parts.scheme == "wss" else ("ws", "socks", "https", "http")
    )
    proxies = getproxies()
    named = urlsplit(next((proxies[each] for each in schemes if each in proxies), ""))
    return urlunsplit(named._replace(netloc=named.netloc.rpartition("@")[2]))


def _handshake_closure(shown: str, error: InvalidStatus) -> Closure:
    status, body = error.response.status_code, (error.response.body or b"").decode(errors="replace")
    line = " ".join(body.split()).rstrip(".")
    told = f": {line[:200]}" if line else ""
    row = handshake_row(status)
    text = f"{shown} answered with HTTP status {status} instead of a session{told}"
    if (location := _location(shown, error.response)) is not None:
        row = REDIRECTED
        text = row.fill(address=shown, location=location).text
    return Closure(
        row=row,
        code=status,
        reason=line,
        text=text,
        by=ClosedBy.SERVER,
        story=(f"received HTTP status {status}",),
    )


def _location(shown: str, response: Response) -> str | None:
    """Where this answer redirects to, without a query, which may hold a token; None: nowhere."""
    named = response.headers.get("Location")
    if response.status_code not in _REDIRECTIONS or not named:
        return None
    try:
        return urljoin(shown, named).partition("?")[0][:LONGEST_LOCATION]
    except ValueError:
        return None  # It is no address.
