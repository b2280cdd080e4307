"""A server on the transport that sends back what it gets.

    python -m tests.transport.echo PORT

runs it until its input is closed, as `scripts/autobahn` does.
"""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from turnwire.server.port import Port
from turnwire.transport.arrivals import Accepted
from turnwire.transport.front import Front
from turnwire.transport.listener import Listener
from turnwire.transport.notices import Notices
from turnwire.transport.request import Request, Response
from turnwire.transport.socket import Opening, Socket
from turnwire.wire.closure import Closure


class Echo:
    """Sends back what it gets, and holds the socket while the client does not read."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.ended = False

    def received(self, message: str | bytes) -> None:
        self.socket.send(message)
        if not self.socket.writable:
            self.socket.hold()

    def refused(self, closure: Closure) -> None:
        self.socket.close(closure.code, closure.reason)

    def gone(self) -> None:
        self.ended = True

    def writable_again(self) -> None:
        self.socket.release()


class EchoSite:
    """Echoes at every path but /nowhere; plain HTTP gets no answer."""

    def __init__(self) -> None:
        self.receivers: list[Echo] = []

    def upgrade(self, request: Request) -> Opening | Response:
        if request.path == "/nowhere":
            return Response(404, "There is nothing here.")
        return self._open

    def plain(self, front: Front) -> asyncio.Protocol:
        return asyncio.Protocol()

    def _open(self, socket: Socket) -> Echo:
        self.receivers.append(Echo(socket))
        return self.receivers[-1]


@asynccontextmanager
async def echoing(
    site: EchoSite | None = None, port: int = 0, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[int]:
    """An echoing server on this port, 0 for any; gives the port."""
    with Port.take("127.0.0.1", port) as taken:
        taken.listen()
        notices = Notices()
        listener = Listener(
            Accepted(taken.sockets[0], notices), site or EchoSite(), notices=notices, clock=clock
        )
        listener.start()
        try:
            yield int(taken.sockets[0].getsockname()[1])
        finally:
            listener.stop_accepting()
            await listener.close()


async def main(port: int) -> None:
    logging.basicConfig(level=logging.INFO)
    async with echoing(port=port):
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
