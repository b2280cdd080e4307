"""The socket of a rehearsed connection, within reach of what is rehearsed."""

import asyncio
import socket
import struct

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from turnwire.server.clock import resolve

EXTENSION = "turnwire.socket"
"""Where the scope of a connection has its `ReachableSocket`."""

_LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)


class ReachableSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, which can also misbehave."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.gone: asyncio.Future[None] = self.loop.create_future()
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        resolve(self.gone)

    async def run_asgi(self) -> None:
        extensions: dict[str, object] = self.scope["extensions"]  # type: ignore[assignment]
        extensions[EXTENSION] = self
        await super().run_asgi()

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            # uvicorn would log an error, as if the handshake had been left without an answer.
            self.handshake_complete = True

    def reset(self) -> None:
        """End the TCP connection with RST."""
        connection: socket.socket = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
        self.transport.abort()

    def freeze(self) -> None:
        """Read nothing any more, not even a ping or the end, and send no ping either."""
        self.stop_keepalive()
        # Reading is paused while a message waits for the application. That it takes one must not
        # resume it.
        self.read_paused = False
        self.transport.pause_reading()

    def thaw(self) -> None:
        """Go on where it was frozen."""
        self.transport.resume_reading()
        self.start_keepalive()
