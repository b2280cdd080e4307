"""Whether a request may become a WebSocket (RFC 6455, 4.2), and the answer if so. Pure."""

import base64
import binascii

from websockets.utils import accept_key

from turnwire.transport.request import BadRequest, Request, Response

VERSION = "13"


def accept(request: Request) -> bytes:
    """The answer that makes it a WebSocket, without extensions. Raises `BadRequest`."""
    if request.method != "GET" or request.version != "1.1":
        raise BadRequest(400, "A WebSocket handshake is a GET request of HTTP/1.1.")
    keys = [value for name, value in request.headers if name == "sec-websocket-key"]
    versions = [value for name, value in request.headers if name == "sec-websocket-version"]
    if versions != [VERSION]:
        refused = BadRequest(
            426, f"This server speaks version {VERSION} of the WebSocket protocol."
        )
        refused.response = Response(
            426, str(refused), [("Upgrade", "websocket"), ("Sec-WebSocket-Version", VERSION)]
        )
        raise refused
    if len(keys) != 1 or not _is_key(keys[0]):
        raise BadRequest(400, "Sec-WebSocket-Key is not 16 bytes in Base64.")
    lines = (
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(keys[0])}",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
