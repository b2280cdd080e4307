"""One open WebSocket, between its TCP connection and who serves it.

Its receiver is called for each message and answers at once; while it cannot, it holds the socket,
and messages wait here: some of them, then in TCP. Pings are answered all the same.

A connection that has more to say than fits into its share of a turn of the loop goes on in the
next turn. Once its end is decided, nothing it says is heard: its frames are skipped until its
close frame, and it is gone within `CLOSE_SECONDS`.
"""

import asyncio
from collections.abc import Callable

from turnwire.clock import Timer
from turnwire.transport.deadlines import after
from turnwire.transport.frames import (
    BINARY,
    INVALID_DATA,
    PING,
    PONG,
    PROTOCOL_ERROR,
    TEXT,
    CloseFrame,
    CloseSeeker,
    Event,
    Forbidden,
    Fragment,
    FrameParser,
    Ping,
    close_frame,
    frame,
)
from turnwire.transport.limits import COUNTED_BYTES, Allowance, Turns
from turnwire.transport.request import Request
from turnwire.transport.socket import Opening
from turnwire.wire.closure import Closure
from turnwire.wire.closures import (
    INVALID_TEXT,
    MESSAGE_RATE,
    MESSAGE_TOO_LARGE,
    WEBSOCKET_VIOLATION,
)
from turnwire.wire.limits import MESSAGE_BYTES

CLOSE_SECONDS = 5.0
"""How long a connection has for its last bytes and its close frame, once its end is decided."""

SEEK_FRAMES = 20_000
"""How many frames are skipped in search of the client's close frame."""

PING_SECONDS = 20.0
"""How often a client is pinged; one that has not sent anything since the last ping is gone."""

SEND_SECONDS = 30.0
"""How long a client may leave all it is sent unread; then it counts as gone."""

WAITING_BYTES = 256 * 1024
"""How much may wait here for a receiver that holds the socket."""

WAITING_MESSAGES = 1024

TINY_BYTES = 125
"""A fragment up to this size counts as a message, or audio could come byte by byte."""

PING_FRAME = frame(PING, b"")


class WebSocket(asyncio.Protocol):
    """A `Socket` over a TCP connection that has made its handshake."""

    def __init__(
        self,
        transport: asyncio.Transport,
        request: Request,
        turns: Turns,
        opening: "Opening",
        *,
        on_lost: Callable[["WebSocket"], None],
    ) -> None:
        self.transport = transport
        self.request = request
        self.writable = True
        self._loop = asyncio.get_running_loop()
        self._turns = turns
        self._on_lost = on_lost
        self._parser = FrameParser(MESSAGE_BYTES)
        self._allowance = Allowance(turns.clock())
        self._inbox: list[str | bytes] = []
        self._inbox_bytes = 0
        self._held = False
        self._next_turn: asyncio.Handle | None = None
        self._paused = False
        self._frozen = False
        self._close_received = False
        self._client_left = False
        self._told_gone = False
        self._seeker: CloseSeeker | None = None
        self._closed = False
        self._lost = False
        self._pong: bytes | None = None  # owed to a client that does not read
        self._active = True  # since the last ping
        self._ping_timer = after(PING_SECONDS, self._ping)
        self._deadline: Timer | None = None
        self._receiver = opening(self)

    # What comes from TCP.

    def data_received(self, data: bytes) -> None:
        self._active = True
        if self._seeker is not None:
            self._seek(data)
        elif not self._close_received:
            self._parser.feed(data)
            self._work()

    def pause_writing(self) -> None:
        self.writable = False
        if self._deadline is None:
            self._deadline = after(SEND_SECONDS, self.abort)

    def resume_writing(self) -> None:
        self.writable = True
        if self._seeker is None and not self._client_left and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._pong is not None:
            self._write(frame(PONG, self._pong))
            self._pong = None
        self._receiver.writable_again()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = self._client_left = True
        self._ping_timer.cancel()
        if self._deadline is not None:
            self._deadline.cancel()
        self._on_lost(self)
        self._work()

    # What the client said.

    def _work(self) -> None:
        """Read what has come, as far as the share of this turn goes."""
        if self._next_turn is not None:
            self._next_turn.cancel()
            self._next_turn = None
            self._turns.waiting -= 1
        ends = self._turns.share_ends()
        while self._seeker is None:
            if self._inbox and not self._held:
                self._deliver(self._inbox.pop(0))
            elif self._is_full() or not self._read_frame():
                break
            if self._turns.clock() >= ends:
                self._go_on_next_turn()
                return
        if self._seeker is None and self._is_full():
            self._pause()
        else:
            self._resume()
        if self._client_left and (self._seeker is not None or not self._inbox):
            self._tell_gone()

    def _is_full(self) -> bool:
        return self._held and (
            self._inbox_bytes > WAITING_BYTES or len(self._inbox) > WAITING_MESSAGES
        )

    def _go_on_next_turn(self) -> None:
        self._turns.waiting += 1
        self._next_turn = self._loop.call_soon(self._work)
        self._pause()

    def _read_frame(self) -> bool:
        """Read one frame, if there is one."""
        if self._close_received:
            return False
        try:
            event = self._parser.next()
        except Forbidden as forbidden:
            self._refuse(_closure(forbidden))
            return False
        if event is None:
            return False
        cost = _cost(event)
        within_rate = not cost or self._allowance.take(cost, self._turns.clock())
        if not within_rate:
            self._refuse(MESSAGE_RATE.fill())
        elif isinstance(event, str | bytes):
            self._take(event)
        elif isinstance(event, Ping):
            self._answer(event.data)
        elif isinstance(event, CloseFrame):
            self._answer_close(event)
        return True

    def _take(self, message: str | bytes) -> None:
        if self._held or self._inbox:
            self._inbox.append(message)
            self._inbox_bytes += len(message)
        else:
            self._receiver.received(message)

    def _deliver(self, message: str | bytes) -> None:
        self._inbox_bytes -= len(message)
        self._receiver.received(message)

    def _answer(self, data: bytes) -> None:
        if self.writable:
            self._write(frame(PONG, data))
        else:
            self._pong = data  # the last one is enough (5.5.3)

    def _answer_close(self, closed: CloseFrame) -> None:
        if not self._closed:
            self._closed = True
            self._write(close_frame(closed.code, closed.reason))
        self._close_received = self._client_left = True
        self._begin_to_close()

    def _refuse(self, closure: Closure) -> None:
        self.finish()
        self._receiver.refused(closure)

    def _tell_gone(self) -> None:
        if not self._told_gone:
            self._told_gone = True
            self._receiver.gone()

    # What its receiver asks for.

    def send(self, message: str | bytes) -> None:
        if self._closed:
            return
        if isinstance(message, str):
            self._write(frame(TEXT, message.encode()))
        else:
            self._write(frame(BINARY, message))

    def hold(self) -> None:
        self._held = True

    def release(self) -> None:
        if self._held:
            self._held = False
            if self._next_turn is None:
                self._turns.waiting += 1
                self._next_turn = self._loop.call_soon(self._work)

    def finish(self) -> None:
        if self._seeker is not None:
            return
        skip, rest = self._parser.rest()
        self._seeker = CloseSeeker(skip, most=SEEK_FRAMES if self._parser.in_step else 0)
        self._inbox.clear()
        self._begin_to_close()
        if not self._lost:
            self._resume()
            self._seek(rest)

    def close(self, code: int, reason: str) -> None:
        self.finish()
        if self._closed:
            return
        self._closed = True
        self._write(close_frame(code, reason))
        if self._seeker is not None and self._seeker.found:
            self._hang_up()
        elif not self._parser.in_step and self.transport.can_write_eof():
            self.transport.write_eof()

    def abort(self) -> None:
        self.transport.abort()

    def freeze(self) -> None:
        """Read nothing any more, and send no ping, until it is thawed."""
        self._frozen = True
        self._ping_timer.cancel()
        self._pause()

    def thaw(self) -> None:
        self._frozen = False
        if self._seeker is None and not self._lost:
            self._ping_timer = after(PING_SECONDS, self._ping)
        self._resume()

    # How it ends.

    def _begin_to_close(self) -> None:
        """The end is decided: `CLOSE_SECONDS` are left to send the rest and hear its close."""
        self._ping_timer.cancel()
        if self._deadline is not None:
            self._deadline.cancel()
        if not self._lost:
            self._deadline = after(CLOSE_SECONDS, self.abort)
        if self._client_left:
            self._hang_up()

    def _seek(self, data: bytes) -> None:
        if self._seeker is None:
            return
        self._seeker.feed(data)
        if self._seeker.found:
            self._client_left = True
            if self._closed:
                self._hang_up()

    def _hang_up(self) -> None:
        """Close TCP, once all that was sent is on its way."""
        self._resume()
        self.transport.close()

    def _ping(self) -> None:
        # What a client sends while it is not read cannot be seen.
        if not self._active and not self._paused:
            self.abort()
            return
        if self.writable:
            self._write(PING_FRAME)
        self._active = False
        self._ping_timer = after(PING_SECONDS, self._ping)

    def _write(self, data: bytes) -> None:
        if not self._lost:
            self.transport.write(data)

    def _pause(self) -> None:
        if not self._paused and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and not self._frozen and not self.transport.is_closing():
            self._paused = False
            self._active = True
            self.transport.resume_reading()


def _cost(event: Event) -> int:
    """How many messages a frame counts for; 0 if it brings audio."""
    if isinstance(event, str):
        return 1 + len(event) // COUNTED_BYTES
    if isinstance(event, Fragment):
        return 1 if event.size <= TINY_BYTES else 0
    return 0 if isinstance(event, bytes) and event else 1


def _closure(forbidden: Forbidden) -> Closure:
    if forbidden.code == PROTOCOL_ERROR:
        return WEBSOCKET_VIOLATION.fill(detail=forbidden.detail)
    if forbidden.code == INVALID_DATA:
        return INVALID_TEXT.fill()
    return MESSAGE_TOO_LARGE.fill(size=forbidden.size, limit=MESSAGE_BYTES)
