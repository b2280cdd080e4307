"""Welcomes connections, and knows all that are open.

What is no session yet is bounded, in all and for each address: whoever comes when there are as
many as there may be takes the place of the one that has taken longest. A crowd of clients that
come in one moment is no attack: until each has had a second there may be more.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable

from turnwire.transport.arrivals import Arrivals
from turnwire.transport.front import HEAD_SECONDS, Front, RequestHandler
from turnwire.transport.limits import Turns
from turnwire.transport.networks import LOOPBACK, Networks
from turnwire.transport.notices import Notices
from turnwire.transport.websocket import WebSocket

MOST_HALF_OPEN = 1024
MOST_HALF_OPEN_OF_ONE = 256
"""Connections that are no WebSocket, in all and of one address."""
MOST_IN_A_CROWD = 4096
"""The same in all, those included that came in the last second."""

FAREWELL_SECONDS = 3.0
"""How long a server that stops waits for its clients to close their connections."""


class Listener:
    """All the connections that come from one place.

    `tls` gives the context for each new connection; None for no TLS. What `proxies` say of the
    addresses of their clients is believed.
    """

    def __init__(
        self,
        arrivals: Arrivals,
        handler: RequestHandler,
        *,
        tls: Callable[[], ssl.SSLContext] | None = None,
        notices: Notices,
        proxies: Networks = LOOPBACK,
        count: Callable[[int], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`count` is told how many connections there are, whenever that changes."""
        self._arrivals = arrivals
        self._handler = handler
        self._tls = tls
        self._notices = notices
        self._proxies = proxies
        self._count = count
        self._loop = asyncio.get_running_loop()
        self._turns = Turns(clock)
        self._fronts: dict[str, dict[Front, None]] = {}
        """Of each address, the oldest first."""
        self._half_open = 0
        self._websockets: set[WebSocket] = set()
        self._all_closed: asyncio.Future[None] | None = None

    @property
    def half_open(self) -> int:
        return self._half_open

    def start(self) -> None:
        self._arrivals.start(self._welcome)

    def stop_accepting(self) -> None:
        """Take no further connection, and let go of those that ask for nothing more."""
        self._arrivals.stop()
        for front in self._all_fronts():
            front.finish()

    async def close(self) -> None:
        """Wait until all connections are closed; those that stay too long are dropped."""
        if not await self._closed_within(FAREWELL_SECONDS):
            for websocket in list(self._websockets):
                websocket.abort()
            for front in self._all_fronts():
                front.drop()
            await self._closed_within(FAREWELL_SECONDS)

    async def _closed_within(self, seconds: float) -> bool:
        if self._half_open or self._websockets:
            self._all_closed = self._loop.create_future()
            await asyncio.wait([self._all_closed], timeout=seconds)
        return not self._half_open and not self._websockets

    def _all_fronts(self) -> list[Front]:
        return [front for fronts in self._fronts.values() for front in fronts]

    # Those that come.

    def _welcome(self, connection: socket.socket, address: str) -> None:
        self._make_room(address)
        front = Front(
            self._handler,
            self._turns,
            address,
            proxies=self._proxies,
            on_lost=self._forget,
            on_open=self._open,
            on_websocket_lost=self._forget_websocket,
        )
        self._fronts.setdefault(address, {})[front] = None
        self._half_open += 1
        self._counted()
        front.arriving = self._loop.create_task(self._connect(connection, front))

    async def _connect(self, connection: socket.socket, front: Front) -> None:
        connection.setblocking(False)
        try:
            if connection.family != socket.AF_UNIX:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is None:
                await self._loop.connect_accepted_socket(lambda: front, connection)
            else:
                await self._loop.connect_accepted_socket(
                    lambda: front,
                    connection,
                    ssl=self._tls(),
                    ssl_handshake_timeout=HEAD_SECONDS,
                )
        except (OSError, asyncio.CancelledError):
            # It went, it spoke no TLS, or it took too long.
            front.arriving = None
            connection.close()
            self._forget(front)
            front.drop()
        front.arriving = None

    def _make_room(self, address: str) -> None:
        of_one = self._fronts.get(address, {})
        if len(of_one) >= MOST_HALF_OPEN_OF_ONE and _oldest(of_one).had_time:
            self._notices.warn(f"{address} has too many connections that open no session")
            _oldest(of_one).drop()
        elif self._half_open >= MOST_HALF_OPEN:
            most = max(self._fronts.values(), key=len)
            oldest = _oldest(most)
            if oldest.had_time or self._half_open >= MOST_IN_A_CROWD:
                self._notices.warn("there are too many connections that open no session")
                oldest.drop()

    def _open(self, front: Front, websocket: WebSocket) -> None:
        self._websockets.add(websocket)
        self._forget(front)

    def _forget(self, front: Front) -> None:
        fronts = self._fronts.get(front.address, {})
        if front in fronts:
            del fronts[front]
            self._half_open -= 1
            if not fronts:
                del self._fronts[front.address]
            self._counted()

    def _forget_websocket(self, websocket: WebSocket) -> None:
        self._websockets.discard(websocket)
        self._counted()

    def _counted(self) -> None:
        connections = self._half_open + len(self._websockets)
        self._count(connections)
        if connections:
            return
        if self._all_closed is not None and not self._all_closed.done():
            self._all_closed.set_result(None)


def _oldest(fronts: dict[Front, None]) -> Front:
    return next(iter(fronts))
