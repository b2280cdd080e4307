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

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import Close

from turnwire.client.address import is_loopback, session_url
from turnwire.client.audio import AudioFormat
from turnwire.client.closures import (
    CLOSED_HERE,
    CONNECTION_LOST,
    NO_BEGIN,
    NO_TERMINATION,
    NOT_ENDED,
    NOT_THIS_PROTOCOL,
    UNREACHABLE,
    ClosedBy,
    Closure,
    handshake_row,
    row_of,
)
from turnwire.client.errors import raised_for
from turnwire.wire.closures import NO_CLOSE_FRAME, SESSION_ENDED, ClosureRow
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

PING_SECONDS = 10.0
"""Between two pings."""

PONG_SECONDS = 15.0
"""For the answer to a ping; without one the connection is lost."""

END_SECONDS = 30.0
"""After Terminate, for each further message: the server may still have audio to get through."""

CLOSE_SECONDS = 5.0
"""For the close itself, once nothing else is to come."""

PING_TIMEOUT = 1011
"""The code with which the WebSocket library closes when a ping was not answered."""

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

    Raises `LocalError` for a URL or parameters that cannot be, and else as `open_session` does.
    """
    format = AudioFormat.of(parameters)
    session = await open_session(session_url(url, parameters), api_key, format)
    try:
        yield session
    finally:
        await session.close()


async def open_session(url: str, api_key: str | None, format: AudioFormat) -> "Session":
    """A session that has begun, at the URL of one that is asked to take audio of this format.

    Raises the `SessionClosed` of its closure if there is no server, if it refuses, or if Begin
    does not come in time.
    """
    shown = url.partition("?")[0]  # the query may hold a token
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            socket = await open_socket(
                url,
                additional_headers={"Authorization": api_key} if api_key else None,
                # A proxy that the environment names cannot reach this machine's own ports.
                proxy=None if is_loopback(url) else True,
                open_timeout=None,
                ping_interval=PING_SECONDS,
                ping_timeout=PONG_SECONDS,
                close_timeout=CLOSE_SECONDS,
                max_size=MAX_MESSAGE_BYTES,
                max_queue=MAX_UNREAD_MESSAGES,
            )
            try:
                return await _begun(socket, format)
            except BaseException:
                socket.transport.abort()
                raise
    except TimeoutError:
        closure = _never_opened(NO_BEGIN, address=shown, seconds=f"{OPEN_SECONDS:g}")
    except InvalidStatus as error:
        closure = _handshake_closure(shown, error)
    except (OSError, WebSocketException) as error:
        closure = _never_opened(UNREACHABLE, address=shown, problem=error)
    raise raised_for(closure)


def _never_opened(row: ClosureRow, **details: object) -> Closure:
    text = row.fill(**details).text
    return Closure(row=row, code=row.code, text=text, by=ClosedBy.NEITHER)


def _handshake_closure(shown: str, error: InvalidStatus) -> Closure:
    status, body = error.response.status_code, (error.response.body or b"").decode(errors="replace")
    line = " ".join(body.split()).rstrip(".")
    told = f": {line[:200]}" if line else ""
    return Closure(
        row=handshake_row(status),
        code=status,
        reason=line,
        text=f"{shown} answered with HTTP status {status} instead of a session{told}",
        by=ClosedBy.SERVER,
        story=(f"received HTTP status {status}",),
    )


async def _begun(socket: ClientConnection, format: AudioFormat) -> "Session":
    session = Session(socket, format)
    async for message in session:
        if isinstance(message, Begin):
            session.begin = message
            return session
        if not isinstance(message, Error):
            row = NOT_THIS_PROTOCOL
            text = row.fill(message=message.type).text
            raise raised_for(Closure(row=row, code=row.code, text=text, by=ClosedBy.CLIENT))
    assert session.closure is not None
    raise raised_for(session.closure)


class Session:
    """A session that has begun: send audio, read messages, and see in `closure` how it ended.

    Sending raises `SessionClosed` when the session is over. Reading does not: it just ends.
    """

    begin: Begin

    def __init__(self, socket: ClientConnection, format: AudioFormat) -> None:
        self._socket = socket
        self._format = format
        self._sent = 0  # bytes of audio
        self._reading = asyncio.Lock()
        self._deadline: asyncio.TimerHandle | None = None
        self._ending = False
        self._overdue: float | None = None
        self._story: list[str] = []
        self._error: Error | None = None
        self._termination: Termination | None = None
        self._begun_at: float | None = None
        self.closure: Closure | None = None
        """How the session ended; None until everything before its end has been read."""

    async def send(self, pcm: bytes) -> None:
        """Send audio: 50 to 1000 ms of it, in the encoding and at the rate of the connection."""
        await self._send(pcm)
        self._sent += len(pcm)
        # Sending only waits when buffers are full. A source that never waits either must not keep
        # this side from hearing what the server says meanwhile.
        await asyncio.sleep(0)

    async def force_endpoint(self) -> None:
        """End the current turn where the audio sent so far ends."""
        await self.say(ForceEndpoint().to_json())

    async def keep_alive(self) -> None:
        """Keep `inactivity_timeout` from ending the session."""
        await self.say(KeepAlive().to_json())

    async def update(self, **changes: object) -> None:
        """Change parameters of the session (`min_turn_silence=300`) from here on."""
        # As given, so that what only a newer server knows reaches it.
        await self.say(json.dumps({"type": "UpdateConfiguration", **changes}))

    async def say(self, message: str) -> None:
        """Send a message, as JSON."""
        await self._send(message)

    async def terminate(self) -> None:
        """Ask for the end: the last turn, Termination and the close follow, to be read."""
        await self.say(Terminate().to_json())
        self._ending = True
        self._story.append("sent Terminate")
        self._expect_within(END_SECONDS)

    async def hang_up(self) -> None:
        """Close the connection, if it is not; whoever reads gets what was not read yet."""
        await self._socket.close()

    def abort(self) -> None:
        """Break the connection, if there is one left."""
        self._socket.transport.abort()

    async def close(self) -> None:
        """Close the connection, if it is not, and leave nothing unread.

        Without `terminate` before it, the words of an open turn are lost.
        """
        await self.hang_up()
        async for _ in self:
            pass
        if self._deadline:
            self._deadline.cancel()

    def __aiter__(self) -> AsyncIterator[ServerMessage]:
        return self

    async def __anext__(self) -> ServerMessage:
        # Held so that `close` can read the rest though another task is still being cancelled.
        async with self._reading:
            while self.closure is None:
                try:
                    message = parse_server_message(await self._socket.recv(decode=True))
                except ConnectionClosed as end:
                    self.closure = self._closure(end)
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
            raise raised_for(self._closure(end)) from None

    def _note(self, message: ServerMessage) -> None:
        match message:
            case Begin():
                self.begin = message
                self._begun_at = asyncio.get_running_loop().time()
                self._story.append("received Begin")
            case Error():
                self._error = message
                self._story.append(f"received Error {message.error_code}")
                self._expect_within(CLOSE_SECONDS)
            case Termination():
                self._termination = message
                self._story.append("received Termination")
                self._expect_within(CLOSE_SECONDS)
            case _ if self._ending:
                self._expect_within(END_SECONDS)

    def _expect_within(self, seconds: float) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._drop, seconds)

    def _drop(self, seconds: float) -> None:
        self._overdue = seconds
        self._socket.transport.abort()

    def _closure(self, end: ConnectionClosed) -> Closure:
        # Of two close frames the first is the cause and the second its echo.
        by_server = end.rcvd is not None and end.rcvd_then_sent is not False
        first = end.rcvd if by_server else end.sent
        frames = [
            f"{done} close {frame.code}"
            for done, frame in (("received", end.rcvd), ("sent", end.sent))
            if frame is not None
        ]
        code, reason, by, row = self._cause(first, by_server)
        told, begun = self._termination, self._begun_at
        if told is not None:
            audio, lasted = float(told.audio_duration_seconds), told.session_duration_seconds * 1.0
        else:
            audio = self._format.seconds(self._sent)
            lasted = 0.0 if begun is None else asyncio.get_running_loop().time() - begun
        return Closure(
            row=row,
            code=code,
            reason=reason,
            text=self._error.error if self._error else reason,
            by=by,
            story=(*self._story, *(frames if by_server else reversed(frames))),
            session_id=self.begin.id if begun is not None else None,
            audio_seconds=audio,
            session_seconds=lasted,
            terminated=told is not None,
        )

    def _cause(self, first: Close | None, by_server: bool) -> tuple[int, str, ClosedBy, ClosureRow]:
        """Code, reason, who closed, and the row, by the first close frame."""
        if first is None:
            if self._overdue is not None:
                reason = NOT_ENDED.fill(seconds=f"{self._overdue:g}").text
                return NO_CLOSE_FRAME, reason, ClosedBy.CLIENT, NOT_ENDED
            row = CONNECTION_LOST
            if self._error is not None:
                # The server said why, and only its close frame was lost.
                row = row_of(self._error.error_code, self._error.error)
            return NO_CLOSE_FRAME, CONNECTION_LOST.template, ClosedBy.NEITHER, row
        if not by_server:
            return first.code, first.reason, ClosedBy.CLIENT, self._own_row(first.code)
        if first.code != 1000:
            row = row_of(first.code, self._error.error if self._error else first.reason)
        else:
            row = SESSION_ENDED if self._termination else NO_TERMINATION
        return first.code, first.reason, ClosedBy.SERVER, row

    def _own_row(self, code: int) -> ClosureRow:
        """The row of a close that began here: asked for, or by the WebSocket library."""
        if code == 1000:
            return SESSION_ENDED if self._termination else CLOSED_HERE
        return CONNECTION_LOST if code == PING_TIMEOUT else NOT_THIS_PROTOCOL
