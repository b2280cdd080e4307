"""Welcomes connections, and knows all that are open.

What is no session yet is bounded, in all and for each address: whoever comes when there are as
many as there may be takes the place of the one that has taken longest. A crowd of clients that
come in one moment is no attack: until each has had a second there may be more.
"""

import asyncio
import heapq
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

TLS_SECONDS = 2 * HEAD_SECONDS
"""More than a client may take, which its front measures: asyncio's own timer would not be patient
with one that a blocked server did not hear."""

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
        arriving = self._loop.create_task(self._connect(connection, front))
        front.arriving = arriving
        # One that is cancelled before it has begun comes to no `except`.
        arriving.add_done_callback(
            lambda _: self._lose(connection, front) if arriving.cancelled() else None
        )

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
                    ssl_handshake_timeout=TLS_SECONDS,
                )
        except (OSError, asyncio.CancelledError):
            # It went, it spoke no TLS, or it took too long.
            self._lose(connection, front)
        front.arriving = None

    def _lose(self, connection: socket.socket, front: Front) -> None:
        front.arriving = None
        connection.close()
        self._displace(front)

    def _make_room(self, address: str) -> None:
        of_one = self._fronts.get(address, {})
        while len(of_one) >= MOST_HALF_OPEN_OF_ONE and _oldest(of_one).had_time:
            self._notices.warn(f"{address} has too many connections that open no session")
            self._displace(_oldest(of_one))
        if self._half_open >= MOST_HALF_OPEN:
            self._make_room_in_all()

    def _make_room_in_all(self) -> None:
        # After a crowd thousands may be too many, each of another address. Of those that have as
        # many, the one that has been here longest comes first.
        by_size = [
            (-len(fronts), n, address) for n, (address, fronts) in enumerate(self._fronts.items())
        ]
        heapq.heapify(by_size)
        while self._half_open >= MOST_HALF_OPEN:
            size, n, address = by_size[0]
            oldest = _oldest(self._fronts[address])
            if not oldest.had_time and self._half_open < MOST_IN_A_CROWD:
                return
            self._notices.warn("there are too many connections that open no session")
            self._displace(oldest)
            heapq.heapreplace(by_size, (size + 1, n, address))

    def _displace(self, front: Front) -> None:
        # It is lost a turn of the loop later, and is not to be found again until then.
        front.drop()
        self._forget(front)

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
