"""One session over one WebSocket, seen from the client.

Nothing here waits forever. Opening is bounded up to Begin; a connection that went dead is found
by its pings; once this side has asked for the end, or the server has announced it, the close has
a deadline, after which the connection is dropped.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from turnwire.client.address import is_loopback, session_url
from turnwire.client.closing import (
    NO_CLOSE_FRAME,
    ClosedBy,
    Closing,
    ConnectionFailed,
    Refused,
    SessionClosed,
)
from turnwire.wire.messages import (
    Begin,
    Error,
    ForceEndpoint,
    KeepAlive,
    ServerMessage,
    Terminate,
    Termination,
    parse_server_message,
)

OPEN_SECONDS = 10.0
"""For the connection, the handshake and Begin together."""

END_SECONDS = 30.0
"""After Terminate, for each further message: the server may still have audio to get through."""

CLOSE_SECONDS = 5.0
"""For the close itself, once nothing else is to come."""

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
MAX_UNREAD_MESSAGES = 1024
"""Beyond these the socket is not read, until some have been."""

_log = logging.getLogger(__name__)


@asynccontextmanager
async def connect(
    url: str, *, api_key: str | None = None, **parameters: object
) -> AsyncIterator["Session"]:
    """A session that has begun; it is closed on leaving, if it has not ended by then.

    `url` is ws://host:port or wss://host, or a full one with a path of its own. `parameters` are
    those of the connection (`sample_rate=8000`, `format_turns=True`, `token=...`).

    Raises `Refused` if the server ends the session before Begin, and `ConnectionFailed` if there
    is no server, or no Begin in time.
    """
    session = await _open(session_url(url, parameters), api_key)
    try:
        yield session
    finally:
        await session.close()


async def _open(url: str, api_key: str | None) -> "Session":
    shown = url.partition("?")[0]  # the query may hold a token
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            socket = await open_socket(
                url,
                additional_headers={"Authorization": api_key} if api_key else None,
                # A proxy that the environment names cannot reach this machine's own ports.
                proxy=None if is_loopback(url) else True,
                open_timeout=None,
                close_timeout=CLOSE_SECONDS,
                max_size=MAX_MESSAGE_BYTES,
                max_queue=MAX_UNREAD_MESSAGES,
            )
            try:
                return await Session.begun(socket)
            except BaseException:
                socket.transport.abort()
                raise
    except TimeoutError:
        raise ConnectionFailed(
            f"{shown} did not open a session within {OPEN_SECONDS:g} seconds."
        ) from None
    except InvalidStatus as error:
        status, body = error.response.status_code, error.response.body or b""
        raise ConnectionFailed(
            f"{shown} answered with HTTP status {status} instead of a session"
            f"{_quoted(body.decode(errors='replace'))}."
        ) from None
    except (OSError, WebSocketException) as error:
        raise ConnectionFailed(
            f"Could not connect to {shown}; is a server running there? ({error})"
        ) from None


def _quoted(body: str) -> str:
    line = " ".join(body.split()).rstrip(".")
    return f": {line[:200]}" if line else ""


class Session:
    """A session that has begun: send audio, read messages, and see in `closing` how it ended.

    Sending raises `SessionClosed` when the session is over. Reading does not: it just ends.
    """

    begin: Begin

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._reading = asyncio.Lock()
        self._deadline: asyncio.TimerHandle | None = None
        self._ending = False
        self._dropped = ""
        self._error: Error | None = None
        self._termination: Termination | None = None
        self.closing: Closing | None = None
        """How the session ended; None until everything before its end has been read."""

    @classmethod
    async def begun(cls, socket: ClientConnection) -> Self:
        """The session on this socket, once Begin is in."""
        session = cls(socket)
        async for message in session:
            if isinstance(message, Begin):
                session.begin = message
                return session
            if not isinstance(message, Error):
                raise ConnectionFailed(
                    f"The server does not speak this protocol: {message.type} came before Begin."
                )
        assert session.closing is not None
        raise Refused(session.closing)

    async def send(self, pcm: bytes) -> None:
        """Send audio: 50 to 1000 ms of it, in the encoding and at the rate of the connection."""
        await self._send(pcm)
        # Sending only waits when buffers are full. A source that never waits either must not keep
        # this side from hearing what the server says meanwhile.
        await asyncio.sleep(0)

    async def force_endpoint(self) -> None:
        """End the current turn where the audio sent so far ends."""
        await self._send(ForceEndpoint().to_json())

    async def keep_alive(self) -> None:
        """Keep `inactivity_timeout` from ending the session."""
        await self._send(KeepAlive().to_json())

    async def update(self, **changes: object) -> None:
        """Change parameters of the session (`min_turn_silence=300`) from here on."""
        # As given, so that what only a newer server knows reaches it.
        await self._send(json.dumps({"type": "UpdateConfiguration", **changes}))

    async def terminate(self) -> None:
        """Ask for the end: the last turn, Termination and the close follow, to be read."""
        await self._send(Terminate().to_json())
        self._ending = True
        self._expect_within(END_SECONDS)

    async def close(self) -> None:
        """Close the connection, if it is not, and leave nothing unread.

        Without `terminate` before it, the words of an open turn are lost.
        """
        await self._socket.close()
        async for _ in self:
            pass
        if self._deadline:
            self._deadline.cancel()

    def __aiter__(self) -> AsyncIterator[ServerMessage]:
        return self

    async def __anext__(self) -> ServerMessage:
        # Held so that `close` can read the rest though another task is still being cancelled.
        async with self._reading:
            while self.closing is None:
                try:
                    message = parse_server_message(await self._socket.recv(decode=True))
                except ConnectionClosed as end:
                    self.closing = self._story(end)
                except ValidationError:
                    # A newer server may know messages that this client does not.
                    _log.warning("Passed over a message that is not of this protocol.")
                else:
                    self._note(message)
                    return message
        raise StopAsyncIteration

    async def _send(self, message: bytes | str) -> None:
        try:
            await self._socket.send(message)
        except ConnectionClosed as end:
            raise SessionClosed(f"The session is over: {self._story(end)}") from None

    def _note(self, message: ServerMessage) -> None:
        match message:
            case Error():
                self._error = message
                self._expect_within(CLOSE_SECONDS)
            case Termination():
                self._termination = message
                self._expect_within(CLOSE_SECONDS)
            case _ if self._ending:
                self._expect_within(END_SECONDS)

    def _expect_within(self, seconds: float) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._drop, seconds)

    def _drop(self, seconds: float) -> None:
        self._dropped = f"The server did not end the session within {seconds:g} seconds"
        self._socket.transport.abort()

    def _story(self, end: ConnectionClosed) -> Closing:
        # Of two close frames the first is the cause and the second its echo.
        by_server = end.rcvd is not None and end.rcvd_then_sent is not False
        first = end.rcvd if by_server else end.sent
        if first is None:
            by = ClosedBy.CLIENT if self._dropped else ClosedBy.NEITHER
            code, reason = NO_CLOSE_FRAME, self._dropped or "The connection was lost"
        else:
            by = ClosedBy.SERVER if by_server else ClosedBy.CLIENT
            code, reason = first.code, first.reason
        return Closing(
            code=code, reason=reason, by=by, error=self._error, termination=self._termination
        )
