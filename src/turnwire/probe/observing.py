"""Doing to a server what a check says, and noting what comes of it."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from turnwire.client.address import is_loopback, session_url
from turnwire.probe.checks import SAMPLE_RATE, TERMINATE, Check, Credential
from turnwire.wire.closures import SESSION_ENDED
from turnwire.wire.limits import SESSION_PATH

CLOSE_SECONDS = 2.0

TOKEN_SECONDS = 10.0

NEVER_ISSUED = "turnwire-probe-a-key-that-was-never-issued"


class Unavailable(Exception):
    """A check cannot be made on this server; the text says why."""


@dataclass(slots=True)
class Observation:
    """What one connection saw."""

    heard: list[str] = field(default_factory=list)
    """The types of the messages, in order."""
    error_code: int | None = None
    error: str | None = None
    """Of the Error message."""
    code: int | None = None
    """Of the close frame; None: there was none."""
    reason: str = ""
    status: int | None = None
    """Of the HTTP answer, if the handshake failed."""
    problem: str = ""
    """Why there is no more to tell, if there is not."""
    seconds: float = 0.0
    """From the connection's start to its end."""

    @property
    def text(self) -> str:
        """Why it ended, as far as it was told."""
        return self.error if self.error is not None else self.reason

    def note(self, frame: str | bytes) -> None:
        """Take a message in."""
        try:
            message = json.loads(frame)
            kind = message["type"]
        except (ValueError, TypeError, KeyError):
            self.heard.append("a message without a type")
            return
        self.heard.append(str(kind))
        if kind == "Error":
            self.error_code = message.get("error_code")
            self.error = str(message.get("error"))


@dataclass(frozen=True, slots=True)
class Target:
    """The server that is probed."""

    address: str
    """As somebody typed it: ws://host:port, or with a path that ends in that of sessions."""
    api_key: str | None = None

    def url(self, path: str = SESSION_PATH, query: Mapping[str, object] | None = None) -> str:
        """Raises `turnwire.client.errors.AddressError`."""
        url = urlsplit(session_url(self.address, query or {}))
        prefix = url.path.rstrip("/").removesuffix(SESSION_PATH)
        return urlunsplit(url._replace(path=prefix + path))


async def observe(check: Check, target: Target) -> Observation:
    """What comes of a check. Raises `Unavailable`."""
    key = {
        Credential.KEY: target.api_key,
        Credential.UNKNOWN: NEVER_ISSUED,
    }.get(check.credential)
    if check.credential is Credential.USED_TOKEN:
        key = await _used_token(target)
    return await _observe(check, target.url(check.path, _query(check)), key)


def _query(check: Check) -> Mapping[str, object]:
    return {"sample_rate": SAMPLE_RATE, **check.query}


async def _observe(check: Check, url: str, key: str | None) -> Observation:
    seen = Observation()
    loop = asyncio.get_running_loop()
    start = loop.time()
    try:
        async with asyncio.timeout(check.within), _connection(url, key) as socket:
            await _talk(socket, check, seen)
            seen.seconds = loop.time() - start
            _note_close(socket, seen)
    except TimeoutError:
        seen.problem = f"nothing more came within {check.within:g} seconds"
    except InvalidStatus as error:
        seen.status = error.response.status_code
        seen.reason = _error_in(bytes(error.response.body or b""))
    except (OSError, WebSocketException) as error:
        seen.problem = f"no connection: {error}"
    seen.seconds = seen.seconds or loop.time() - start
    return seen


def _connection(url: str, key: str | None) -> connect:
    return connect(
        url,
        additional_headers={"Authorization": key} if key else None,
        # A proxy that the environment names cannot reach this machine's own ports.
        proxy=None if is_loopback(url) else True,
        open_timeout=None,
        close_timeout=CLOSE_SECONDS,
    )


async def _talk(socket: ClientConnection, check: Check, seen: Observation) -> None:
    sending: asyncio.Task[None] | None = None
    try:
        while True:
            seen.note(await socket.recv())
            if "Begin" in seen.heard and not check.begins:
                return
            if seen.heard == ["Begin"]:
                sending = asyncio.create_task(_send(socket, check))
    except ConnectionClosed:
        pass
    finally:
        if sending is not None:
            sending.cancel()
            await asyncio.wait([sending])


async def _send(socket: ClientConnection, check: Check) -> None:
    with suppress(ConnectionClosed):
        for message in check.sends:
            await socket.send(message)
            await asyncio.sleep(check.every)


def _note_close(socket: ClientConnection, seen: Observation) -> None:
    frame = socket.protocol.close_rcvd
    if frame is not None:
        seen.code, seen.reason = int(frame.code), frame.reason


def _error_in(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, TypeError, KeyError):
        return " ".join(body.decode(errors="replace").split())[:200]


async def _used_token(target: Target) -> str:
    """A temporary token that has opened a session."""
    token = await asyncio.to_thread(_token, target)
    opening = Check(name="first use", row=SESSION_ENDED, sends=(TERMINATE,))
    seen = await _observe(opening, target.url(query=_query(opening)), token)
    if "Begin" not in seen.heard:
        raise Unavailable(f"a fresh token opened no session: {seen.problem or seen.text}")
    return token


def _token(target: Target) -> str:
    url = target.url("/v3/token", {"expires_in_seconds": 60}).replace("ws", "http", 1)
    request = urllib.request.Request(url, headers={"Authorization": target.api_key or ""})
    proxies = urllib.request.ProxyHandler({} if is_loopback(url) else None)
    try:
        with urllib.request.build_opener(proxies).open(request, timeout=TOKEN_SECONDS) as answer:
            return str(json.load(answer)["token"])
    except urllib.error.HTTPError as error:
        with error:
            raise Unavailable(f"no token could be had: HTTP status {error.code}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unavailable(f"no token could be had: {error}") from None
