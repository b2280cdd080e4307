"""What meets a new connection: it reads one request, and hands the connection on.

A handshake makes it a WebSocket. What is plain HTTP is left to somebody else's protocol, which
gives the connection back when it has answered. All else is answered in one sentence, and closed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, cast

from turnwire.transport import handshake
from turnwire.transport.deadlines import after
from turnwire.transport.limits import Turns
from turnwire.transport.networks import Networks, client_of
from turnwire.transport.request import BadRequest, HeadReader, Request, Response
from turnwire.transport.socket import Opening
from turnwire.transport.websocket import WebSocket

HEAD_SECONDS = 10.0
"""How long a client may take to send the head of a request, TLS included."""

FIRST_SECONDS = 1.0
"""For how long after it came a connection cannot lose its place to others."""

EXCHANGE_SECONDS = 60.0
"""How long plain HTTP may take for one request, or for the next part of its answer."""

LINGER_SECONDS = 2.0
"""How long what a refused client still sends is read and dropped. Were it not read, TCP would
answer with a reset, and that can take the refusal with it."""

TOO_LATE = Response(408, "The request did not come in time.")


class RequestHandler(Protocol):
    """What requests are answered by."""

    def upgrade(self, request: Request) -> Opening | Response:
        """What becomes of this handshake."""

    def plain(self, front: "Front") -> asyncio.Protocol:
        """What answers one request of plain HTTP; it calls `front.take_back` when it has."""


class Front(asyncio.Protocol):
    """One connection, as long as it is no WebSocket."""

    def __init__(
        self,
        handler: RequestHandler,
        turns: Turns,
        address: str,
        *,
        proxies: Networks,
        on_lost: Callable[["Front"], None],
        on_open: Callable[["Front", WebSocket], None],
        on_websocket_lost: Callable[[WebSocket], None],
    ) -> None:
        self.address = address
        self.arriving: asyncio.Task[None] | None = None
        """What makes the connection of the socket that was accepted, until it has."""
        self._handler = handler
        self._turns = turns
        self._proxies = proxies
        self._on_lost = on_lost
        self._on_open = on_open
        self._on_websocket_lost = on_websocket_lost
        self._transport: asyncio.Transport | None = None
        self._reader: HeadReader | None = HeadReader()
        self._answering = False
        self._last = False
        """Whether no further request is answered."""
        self.had_time = False
        """Whether others may take its place."""
        self._first_timer = after(FIRST_SECONDS, self._have_had_time)
        self._timer = after(HEAD_SECONDS, self._time_out)

    @property
    def transport(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has its own class

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timers()
        self._on_lost(self)

    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            return  # it was refused
        secure = self.transport.get_extra_info("sslcontext") is not None
        try:
            request = self._reader.feed(data, address=self.address, secure=secure)
            if request is None:
                return
            if request.wants_websocket:
                self._upgrade(self._of_client(request), self._reader.rest)
            else:
                self._hand_on(bytes(self._reader.received))
        except BadRequest as wrong:
            self._refuse(wrong.response)

    def drop(self) -> None:
        """Let go of the connection, whatever it waits for."""
        self._stop_timers()
        if self.arriving is not None:
            self.arriving.cancel()
        if self._transport is not None:
            self._transport.abort()

    def finish(self) -> None:
        """Let go of the connection as soon as what was asked is answered."""
        self._last = True
        if not self._answering:
            self.drop()

    def answer_went_on(self) -> None:
        """A part of the answer was written, so the client reads: the next part may take as long."""
        if self._answering:
            self._rearm(EXCHANGE_SECONDS)

    def take_back(self, data: bytes) -> None:
        """Read the next request, which began with this."""
        self._answering = False
        self._reader = HeadReader()
        self._rearm(HEAD_SECONDS)
        self.transport.set_protocol(self)
        if self._last:
            self.transport.close()
        elif data:
            self.data_received(data)

    def _of_client(self, request: Request) -> Request:
        forwarded_for = [value for name, value in request.headers if name == "x-forwarded-for"]
        client = client_of(self.address, forwarded_for, self._proxies)
        return request if client == self.address else replace(request, address=client)

    def _upgrade(self, request: Request, rest: bytes) -> None:
        outcome = self._handler.upgrade(request)
        if isinstance(outcome, Response):
            self._refuse(outcome)
            return
        self.transport.write(handshake.accept(request))
        self._stop_timers()
        websocket = WebSocket(
            self.transport, request, self._turns, outcome, on_lost=self._on_websocket_lost
        )
        self.transport.set_protocol(websocket)
        self._on_open(self, websocket)
        if rest:
            websocket.data_received(rest)

    def _hand_on(self, data: bytes) -> None:
        self._answering = True
        self._reader = None
        self._rearm(EXCHANGE_SECONDS)
        protocol = self._handler.plain(self)
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        protocol.data_received(data)

    def _refuse(self, response: Response) -> None:
        self._reader = None
        self.transport.write(response.to_bytes())
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._rearm(LINGER_SECONDS)
        else:
            self.transport.close()

    def _rearm(self, seconds: float) -> None:
        self._timer.cancel()
        self._timer = after(seconds, self._time_out)

    def _stop_timers(self) -> None:
        self._timer.cancel()
        self._first_timer.cancel()

    def _have_had_time(self) -> None:
        self.had_time = True

    def _time_out(self) -> None:
        if self._reader is not None and self._reader.received:
            self._refuse(TOO_LATE)
        else:
            self.drop()
