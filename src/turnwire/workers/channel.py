"""What a supervisor and a worker tell each other: JSON, a message a line, over a socket of theirs.

A message is taken in the moment in which it comes in. So whoever looks at a worker's figures a turn
of the loop later looks at all that it had said by then.
"""

import asyncio
import json
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self, cast

LONGEST_BYTES = 16 << 20
"""A message, and what may wait to be read: the metrics of a server with very many accounts."""

Message = dict[str, Any]
"""Its `kind` says what it is about."""

logger = logging.getLogger(__name__)


def say(kind: str, *, over: socket.socket, **what: Any) -> None:
    """Tell it without a loop. One who is gone is told nothing."""
    over.setblocking(True)
    with suppress(OSError):
        over.sendall(_line(kind, what))


def hear(over: socket.socket) -> Message | None:
    """The first message, without a loop; None if the other side is gone already."""
    line = bytearray()
    # A byte at a time: what follows is read by another.
    while not line.endswith(b"\n"):
        byte = over.recv(1)
        if not byte:
            return None
        line += byte
    return dict(json.loads(line))


def _line(kind: str, what: Message) -> bytes:
    return json.dumps({"kind": kind, **what}).encode() + b"\n"


class Channel(asyncio.Protocol):
    """`take` is called with each message; `gone` is done when the other side is."""

    def __init__(self, take: Callable[[Message], None]) -> None:
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._take = take
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()

    @classmethod
    async def over(cls, connected: socket.socket, take: Callable[[Message], None]) -> Self:
        loop = asyncio.get_running_loop()
        _, channel = await loop.create_unix_connection(lambda: cls(take), sock=connected)
        return channel

    def tell(self, kind: str, **what: Any) -> None:
        """Never waits. One who reads nothing is told nothing any more, nor is one who is gone."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() >= LONGEST_BYTES:
            return
        line = _line(kind, what)
        if len(line) > LONGEST_BYTES:
            # Whoever takes it would take this side for broken, and end it.
            logger.error("what one would tell of %r is too long: %d bytes", kind, len(line))
            return
        transport.write(line)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has its own class

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.gone.done():
            self.gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if b"\n" not in data:
            if len(self._received) > LONGEST_BYTES:
                self.close()
            return
        *lines, rest = self._received.split(b"\n")
        self._received = rest
        for line in lines:
            self._take(json.loads(line))
