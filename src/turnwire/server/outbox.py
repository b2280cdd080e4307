"""What waits for a client that does not read."""

import asyncio

from turnwire.clock import resolve
from turnwire.transport.socket import Socket

OUTBOX_BYTES = 256 * 1024
"""How much may wait before there is no room: then the engine waits, too."""


class Outbox:
    """Messages in front of a socket, in the order in which they are to be sent."""

    __slots__ = ("_bytes", "_changed", "_gone", "_socket", "_waiting")

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        # A list, as it is short: an empty deque takes as much memory as 60 items.
        self._waiting: list[str] = []
        self._bytes = 0
        self._gone = False
        # Made when there is something to wait for: an Event takes six times the memory.
        self._changed: asyncio.Future[None] | None = None

    def send(self, text: str) -> None:
        if self._socket.writable and not self._waiting:
            self._socket.send(text)
        elif not self._gone:
            self._waiting.append(text)
            self._bytes += len(text)

    def writable_again(self) -> None:
        """Send what waits, as far as the socket takes it."""
        while self._waiting and self._socket.writable:
            text = self._waiting.pop(0)
            self._bytes -= len(text)
            self._socket.send(text)
        self._tell()

    def gone(self) -> None:
        """Let nothing wait any more: nobody will read it."""
        self._gone = True
        self._waiting.clear()
        self._bytes = 0
        self._tell()

    async def room(self) -> None:
        """Wait until no more waits than may."""
        while self._bytes > OUTBOX_BYTES:
            await self._change()

    async def emptied(self) -> None:
        """Wait until nothing waits."""
        while self._waiting:
            await self._change()

    async def _change(self) -> None:
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        await self._changed

    def _tell(self) -> None:
        if self._changed is not None:
            resolve(self._changed)
            self._changed = None
