"""One HTTP POST to a stranger's server.

The host's name is looked up once, and the connection made to the address that was checked: a name
that means something else a moment later leads nowhere else. Redirects are not followed, proxies of
the environment not asked, and of the answer nothing but the head is read.
"""

import asyncio
import functools
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

import h11

from turnwire import __version__
from turnwire.webhooks.addresses import is_public

SECONDS = 10.0
"""How long the receiver has, from the look-up of its name to the head of its answer."""

HEAD_BYTES = 16 * 1024
"""The largest head of an answer."""

MOST_ADDRESSES = 4
"""How many addresses of a name are tried."""

_PORTS = {"http": 80, "https": 443}

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a host."""


class NoAnswer(Exception):
    """The receiver did not answer in time, or not at all; the text is one sentence."""


class NotAllowed(Exception):
    """The receiver's address is one that must not be posted to; the text is one sentence."""


async def resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Poster:
    """Posts to public addresses only, unless private ones are allowed."""

    def __init__(self, *, allow_private: bool = False, resolve: Resolve = resolve) -> None:
        self.allow_private = allow_private
        self._resolve = resolve

    @functools.cached_property
    def context(self) -> ssl.SSLContext:
        """Made when it is needed, and once: reading all authorities takes a while."""
        return ssl.create_default_context()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer. Raises `NoAnswer` and `NotAllowed`."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._post(urlsplit(url), headers, body)
        except TimeoutError:
            raise NoAnswer(f"It did not answer within {SECONDS:g} s.") from None
        except (OSError, h11.ProtocolError, UnicodeError) as error:
            raise NoAnswer(f"It could not be posted to: {_why(error)}.") from None

    async def _post(self, url: SplitResult, headers: Mapping[str, str], body: bytes) -> int:
        reader, writer = await self._connect(url)
        try:
            return await _exchange(reader, writer, _request(url, headers, body), body)
        finally:
            # Not closed in good form, as that would wait for the other side.
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()

    async def _connect(self, url: SplitResult) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = _place(url)
        addresses = await self._addresses(host, port)
        failed: OSError = OSError("it has no address")
        for address in addresses:
            try:
                async with asyncio.timeout(SECONDS / len(addresses)):
                    return await self._open(address, port, host if url.scheme == "https" else None)
            except OSError as error:  # a timeout, too
                failed = error
        raise failed

    async def _open(
        self, address: str, port: int, tls_name: str | None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = None if tls_name is None else self.context
        return await asyncio.open_connection(
            address, port, limit=HEAD_BYTES, ssl=context, server_hostname=tls_name
        )

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        found = await self._resolve(host, port)
        allowed = [each for each in found if self.allow_private or is_public(each)]
        if found and not allowed:
            raise NotAllowed(f"{host} is no public address.")
        return allowed[:MOST_ADDRESSES]


def is_private_host(host: str) -> bool:
    """Whether a URL's host is an address that is not public; of names nothing is known."""
    try:
        return not is_public(host.strip("[]"))
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _place(url: SplitResult) -> tuple[str, int]:
    return url.hostname or "", url.port or _PORTS[url.scheme]


def _request(url: SplitResult, headers: Mapping[str, str], body: bytes) -> h11.Request:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return h11.Request(
        method="POST",
        target=target,
        headers=[
            ("Host", url.netloc),
            ("User-Agent", f"turnwire/{__version__}"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
            *headers.items(),
        ],
    )


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: h11.Request, body: bytes
) -> int:
    """Send the request; gives the status of the answer, which may come before all is sent."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
    sent = [connection.send(each) for each in (request, h11.Data(data=body), h11.EndOfMessage())]
    writer.write(b"".join(each for each in sent if each is not None))
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if not (data := await reader.read(HEAD_BYTES)):
                raise ConnectionResetError("it hung up")
            connection.receive_data(data)
        elif isinstance(event, h11.Response):
            return event.status_code


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, h11.ProtocolError):
        return "its answer is not one of HTTP/1.1"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
