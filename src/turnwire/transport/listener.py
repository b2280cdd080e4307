"""Accepts connections, and knows all that are open.

What is no session yet is bounded, in all and for each address: whoever comes when there are as
many as there may be takes the place of the one that has taken longest.
"""

import asyncio
import errno
import socket
import ssl
import time
from collections.abc import Callable

from turnwire.transport.front import HEAD_SECONDS, Front, Site
from turnwire.transport.limits import Turns
from turnwire.transport.networks import LOOPBACK, UNIX, Networks
from turnwire.transport.notices import Notices
from turnwire.transport.websocket import WebSocket

ACCEPTED_AT_ONCE = 32
"""How many connections are accepted in one turn of the loop; the kernel keeps the others."""

MOST_HALF_OPEN = 1024
MOST_HALF_OPEN_OF_ONE = 256
"""Connections that are no WebSocket, in all and of one address."""

BACKLOG = 4096

RETRY_SECONDS = 0.2
"""When to try again to accept, after the system had no room."""

FAREWELL_SECONDS = 3.0
"""How long a server that stops waits for its clients to close their connections."""

_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Listener:
    """A socket that is listened to, with all of its connections.

    `tls` gives the context for each new connection; None for no TLS. What `proxies` say of the
    addresses of their clients is believed.
    """

    def __init__(
        self,
        listening: socket.socket,
        site: Site,
        *,
        tls: Callable[[], ssl.SSLContext] | None = None,
        notices: Notices,
        proxies: Networks = LOOPBACK,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._socket = listening
        self._site = site
        self._tls = tls
        self._notices = notices
        self._proxies = proxies
        self._loop = asyncio.get_running_loop()
        self._turns = Turns(clock)
        self._fronts: dict[str, dict[Front, None]] = {}
        """Of each address, the oldest first."""
        self._half_open = 0
        self._websockets: set[WebSocket] = set()
        self._retry: asyncio.TimerHandle | None = None
        self._all_closed: asyncio.Future[None] | None = None

    @property
    def half_open(self) -> int:
        return self._half_open

    def start(self) -> None:
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket, self._accept)

    def stop_accepting(self) -> None:
        """Take no further connection, and let go of those that ask for nothing more."""
        if self._retry is not None:
            self._retry.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()
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

    def _accept(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in _NO_ROOM:
                    self._notices.warn(f"no connection can be accepted: {error.strerror}")
                self._loop.remove_reader(self._socket)
                self._retry = self._loop.call_later(RETRY_SECONDS, self.start)
                return
            # A unix socket has no address; IPv4 is written as such where both are listened to.
            self._welcome(connection, address[0].removeprefix("::ffff:") if address else UNIX)

    def _welcome(self, connection: socket.socket, address: str) -> None:
        self._make_room(address)
        front = Front(
            self._site,
            self._turns,
            address,
            proxies=self._proxies,
            on_lost=self._forget,
            on_open=self._open,
            on_websocket_lost=self._forget_websocket,
        )
        self._fronts.setdefault(address, {})[front] = None
        self._half_open += 1
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
        if len(of_one) >= MOST_HALF_OPEN_OF_ONE:
            self._notices.warn(f"{address} has too many connections that open no session")
            next(iter(of_one)).drop()
        elif self._half_open >= MOST_HALF_OPEN:
            self._notices.warn("there are too many connections that open no session")
            most = max(self._fronts.values(), key=len)
            next(iter(most)).drop()

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
            self._see_whether_all_closed()

    def _forget_websocket(self, websocket: WebSocket) -> None:
        self._websockets.discard(websocket)
        self._see_whether_all_closed()

    def _see_whether_all_closed(self) -> None:
        if self._half_open or self._websockets:
            return
        if self._all_closed is not None and not self._all_closed.done():
            self._all_closed.set_result(None)
