"""One request's head, from bytes, and what a request that cannot be served is answered. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from turnwire.wire.values import LONGEST_QUERY

LINE_BYTES = 2 * LONGEST_QUERY
"""The longest request line: twice what the largest legal session asks for."""

HEADERS_BYTES = 64 * 1024
MOST_HEADERS = 256

BODY_BYTES = 64 * 1024
"""No endpoint takes a body; this is what a client may send all the same."""

MOST_QUERY_FIELDS = 1000

HEAD_BYTES = LINE_BYTES + HEADERS_BYTES

_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/(\d\.\d)")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")


@dataclass(frozen=True, slots=True)
class Response:
    """An answer to a request that ends its connection."""

    status: int
    text: str
    """One sentence."""
    headers: Sequence[tuple[str, str]] = ()

    @property
    def body(self) -> bytes:
        return json.dumps({"error": self.text}, ensure_ascii=False).encode()

    def to_bytes(self) -> bytes:
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = ""
        lines = [
            f"HTTP/1.1 {self.status} {phrase}",
            "Content-Type: application/json",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers),
            "Connection: close",
        ]
        return "".join(f"{line}\r\n" for line in (*lines, "")).encode() + self.body


class BadRequest(Exception):
    """A request that cannot be served; `response` says why."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.response = Response(status, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The head of a request."""

    method: str
    target: str
    """As it was sent."""
    version: str
    headers: Sequence[tuple[str, str]]
    """Names in lower case."""
    address: str = ""
    """Of the client."""
    secure: bool = False
    """Whether it came over TLS."""
    path: str = field(init=False)
    """Decoded."""
    query: Sequence[tuple[str, str]] = field(init=False)
    """Decoded."""

    def __post_init__(self) -> None:
        path, _, query = self.target.partition("?")
        set_ = object.__setattr__  # the dataclass is frozen
        set_(self, "path", unquote(path))
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_QUERY_FIELDS)
        except ValueError:
            raise BadRequest(
                414, f"The query string has more than {MOST_QUERY_FIELDS} parameters."
            ) from None
        set_(self, "query", pairs)

    def header(self, name: str) -> str | None:
        """The first header of this name."""
        return next((value for each, value in self.headers if each == name), None)

    def parameter(self, name: str) -> str | None:
        """The last query parameter of this name."""
        return dict(self.query).get(name)

    def tokens(self, name: str) -> set[str]:
        """The members of a header that lists tokens, in lower case."""
        return {
            token.strip().lower()
            for each, value in self.headers
            if each == name
            for token in value.split(",")
        }

    @property
    def wants_websocket(self) -> bool:
        return "websocket" in self.tokens("upgrade") and "upgrade" in self.tokens("connection")


class HeadReader:
    """Collects the head of one request."""

    __slots__ = ("_searched", "received")

    def __init__(self) -> None:
        self.received = bytearray()
        """All that came so far, the body's beginning too."""
        self._searched = 0

    def feed(self, data: bytes, *, address: str = "", secure: bool = False) -> Request | None:
        """The request, once its head is complete. Raises `BadRequest`."""
        self.received += data
        if self.received.startswith((b"\r", b"\n")):
            # A server should ignore an empty line before a request (RFC 9112, 2.2).
            self.received = self.received.lstrip(b"\r\n")
        end = self.received.find(b"\r\n\r\n", self._searched)
        self._searched = max(0, len(self.received) - 3)
        if end < 0:
            self._check_size(bytes(self.received))
            return None
        head = bytes(self.received[:end])
        self._check_size(head)
        return _parse(head, address=address, secure=secure)

    @property
    def rest(self) -> bytes:
        """What came after the head."""
        return bytes(self.received[self.received.index(b"\r\n\r\n") + 4 :])

    @staticmethod
    def _check_size(head: bytes) -> None:
        line_end = head.find(b"\r\n")
        if (len(head) if line_end < 0 else line_end) > LINE_BYTES:
            raise BadRequest(414, f"The request line is longer than {LINE_BYTES} bytes.")
        if line_end >= 0 and len(head) - line_end > HEADERS_BYTES:
            raise BadRequest(431, f"The headers are longer than {HEADERS_BYTES} bytes.")


def _parse(head: bytes, *, address: str, secure: bool) -> Request:
    first, *lines = head.split(b"\r\n")
    line = _LINE.fullmatch(first)
    if line is None:
        raise BadRequest(400, "The request line is not one of HTTP/1.1.")
    if len(lines) > MOST_HEADERS:
        raise BadRequest(431, f"There are more than {MOST_HEADERS} headers.")
    headers = []
    for each in lines:
        found = _HEADER.fullmatch(each)
        if found is None:
            raise BadRequest(400, "A header is not one of HTTP/1.1.")
        headers.append((found[1].decode().lower(), found[2].decode("latin-1").rstrip(" \t")))
    request = Request(
        method=line[1].decode(),
        target=line[2].decode(),
        version=line[3].decode(),
        headers=headers,
        address=address,
        secure=secure,
    )
    _check_body(request)
    return request


def _check_body(request: Request) -> None:
    lengths = {value for name, value in request.headers if name == "content-length"}
    if request.header("transfer-encoding") is not None:
        raise BadRequest(400, "A body of unknown length is not taken.")
    if len(lengths) > 1 or not all(re.fullmatch("[0-9]{1,18}", each) for each in lengths):
        raise BadRequest(400, "Content-Length is not a number of bytes.")
    length = int(lengths.pop()) if lengths else 0
    if length > BODY_BYTES:
        raise BadRequest(413, f"The body is longer than {BODY_BYTES} bytes.")
    if length and request.wants_websocket:
        raise BadRequest(400, "A WebSocket handshake has no body.")
