"""From what a person types as a server's address to the URL of a session."""

import ipaddress
import json
import re
from collections.abc import Mapping
from enum import Enum
from urllib.parse import urlencode, urlsplit, urlunsplit

from turnwire.client.errors import AddressError
from turnwire.wire.limits import SESSION_PATH

_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
"""What a server's address may begin with, and what sessions are opened with."""


def session_url(address: str, parameters: Mapping[str, object]) -> str:
    """The address with the path of sessions, if it names none, and the parameters as its query.

    Any usual form will do: `localhost:8080`, `ws://...`, `https://...`. Without a scheme it is
    ws:// for this machine and for numbers, and wss:// for names. A parameter that is None is left
    out. Raises `AddressError` for what is no address.
    """
    try:
        url = urlsplit(_with_scheme(address.strip()))
        scheme = _SCHEMES.get(url.scheme)
        named = scheme and url.hostname and url.port != 0 and not re.search(r"\s", url.netloc)
    except ValueError:
        named, scheme = None, None
    if not named or scheme is None:
        raise AddressError(
            f"{address!r} is not the address of a server; "
            "expected something like ws://localhost:8080."
        )
    query = urlencode({name: _written(v) for name, v in parameters.items() if v is not None})
    return urlunsplit(
        url._replace(
            scheme=scheme,
            path=url.path if url.path.strip("/") else SESSION_PATH,
            query="&".join(filter(None, (url.query, query))),
            fragment="",
        )
    )


def _with_scheme(address: str) -> str:
    if "://" in address or not address:
        return address
    host = urlsplit(f"//{address}").hostname or ""
    return f"{'ws' if _is_local(host) else 'wss'}://{address}"


def _is_local(host: str) -> bool:
    """Whether a host is this machine, or named by a number: certificates are for names."""
    return host == "localhost" or _number(host) is not None


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine by name or by number."""
    host = urlsplit(url).hostname or ""
    number = _number(host)
    return host == "localhost" if number is None else number.is_loopback


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _written(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    # Lists, objects and booleans travel as JSON; text and numbers as they are.
    return json.dumps(value) if isinstance(value, bool | list | tuple | dict) else str(value)
