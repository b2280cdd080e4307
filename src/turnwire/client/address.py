"""From what a person types as a server's address to the URL of a session."""

import ipaddress
import json
from collections.abc import Mapping
from enum import Enum
from urllib.parse import urlencode, urlsplit, urlunsplit

from turnwire.client.errors import AddressError
from turnwire.wire.limits import SESSION_PATH


def session_url(address: str, parameters: Mapping[str, object]) -> str:
    """The address with the path of sessions, if it names none, and the parameters as its query.

    A parameter that is None is left out. Raises `AddressError` for what is no address.
    """
    try:
        url = urlsplit(address)
        named = url.scheme in ("ws", "wss") and url.hostname and url.port != 0
    except ValueError:
        named = None
    if not named:
        raise AddressError(
            f"{address!r} is not the address of a server; "
            "expected something like ws://localhost:8080."
        )
    query = urlencode({name: _written(v) for name, v in parameters.items() if v is not None})
    return urlunsplit(
        url._replace(
            path=url.path if url.path.strip("/") else SESSION_PATH,
            query="&".join(filter(None, (url.query, query))),
            fragment="",
        )
    )


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine by name or by number."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _written(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    # Lists, objects and booleans travel as JSON; text and numbers as they are.
    return json.dumps(value) if isinstance(value, bool | list | tuple | dict) else str(value)
