"""A client that costs next to nothing, so that hundreds of them leave the server its cores.

Frames are made beforehand and only written. What comes back is kept with the time it came at, and
understood when everything is over. Turnwire's own client does much more for each message.
"""

import asyncio
import time
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import SWITCHING_PROTOCOLS
from types import MappingProxyType
from typing import cast

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from turnwire.bench.clips import as_frame
from turnwire.bench.serving import BenchServer
from turnwire.bench.session_audio import SessionAudio
from turnwire.client.address import session_url
from turnwire.wire.messages import Begin, KeepAlive, Terminate, parse_server_message

OPEN_SECONDS = 30.0
"""For the connection, the handshake and Begin; a server that is too slow is to be seen."""

END_SECONDS = 60.0
"""From Terminate to the close: the server may have much audio to get through."""

TERMINATE = as_frame(Terminate().to_json())
KEEP_ALIVE = as_frame(KeepAlive().to_json())


@dataclass
class Take:
    """What happened in one session. Times are those of one clock, in seconds."""

    audio: SessionAudio
    asked: float
    """When the connection was asked for."""
    begun: float | None = None
    """When Begin came."""
    sent: "array[float]" = field(default_factory=lambda: array("d"))
    """When each frame of audio was sent."""
    messages: list[tuple[float, str]] = field(default_factory=list)
    """When each message came, and what it is."""
    terminated: float | None = None
    """When Terminate was sent."""
    closed: float | None = None
    code: int | None = None
    """The close code; None if there was no close frame."""
    stalled: bool = False
    """Whether the server ever left so much unread that nothing more could be sent."""


class Player(asyncio.Protocol):
    """One connection, and what happens on it."""

    def __init__(self, take: Take, url: str, api_key: str) -> None:
        self.take = take
        self.begun = asyncio.Event()
        """Set when the session has begun, or never will."""
        self.over = asyncio.Event()
        self._frames: Iterator[bytes] = take.audio.frames
        self._api_key = api_key
        self._socket = ClientProtocol(parse_uri(url), max_size=None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one too, but does not say so.
        self._transport = cast(asyncio.Transport, transport)
        request = self._socket.connect()
        request.headers["Authorization"] = self._api_key
        self._socket.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self._socket.receive_data(data)
        for event in self._socket.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                text = bytes(event.data).decode()
                self.take.messages.append((now, text))
                if not self.begun.is_set():
                    # An Error comes instead to a client that may not begin.
                    if isinstance(parse_server_message(text), Begin):
                        self.take.begun = now
                    self.begun.set()
            elif isinstance(event, Response) and event.status_code != SWITCHING_PROTOCOLS:
                self.abort()
        self._flush()

    def eof_received(self) -> None:
        self._socket.receive_eof()
        self._flush()

    def pause_writing(self) -> None:
        self.take.stalled = True

    def connection_lost(self, error: Exception | None) -> None:
        self.take.closed = time.monotonic()
        # Also where TCP did not end in an orderly way after it.
        frame = self._socket.close_rcvd
        self.take.code = None if frame is None else frame.code
        self.begun.set()
        self.over.set()

    def play(self) -> bool:
        """Send the next frame, or Terminate after the last; tells whether there is more."""
        if not self._may_send:
            return False
        frame = next(self._frames, None)
        if frame is None:
            self.terminate()
            return False
        self._transport.write(frame)
        self.take.sent.append(time.monotonic())
        return True

    def keep_alive(self) -> None:
        if self._may_send:
            self._transport.write(KEEP_ALIVE)

    def terminate(self) -> None:
        if self._may_send:
            self.take.terminated = time.monotonic()
            self._transport.write(TERMINATE)

    async def ended(self, within: float = END_SECONDS) -> None:
        """Wait for the close, but not longer than this."""
        try:
            async with asyncio.timeout(within):
                await self.over.wait()
        except TimeoutError:
            self.abort()
            await self.over.wait()

    def abort(self) -> None:
        self._transport.abort()

    @property
    def _may_send(self) -> bool:
        """Nothing follows a close frame: the server would answer with a reset."""
        return not self.over.is_set() and self._socket.state is State.OPEN

    def _flush(self) -> None:
        for data in self._socket.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()


async def begin(
    server: BenchServer,
    audio: SessionAudio,
    parameters: Mapping[str, object] = MappingProxyType({}),
) -> Player:
    """A player whose session has begun; or is over, which its take tells."""
    url = session_url(server.url, {"sample_rate": audio.sample_rate, **parameters})
    player = Player(Take(audio, time.monotonic()), url, server.api_key)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            await loop.create_connection(lambda: player, server.host, server.port)
            await player.begun.wait()
    except OSError as error:
        player.connection_lost(error)
    except TimeoutError:
        player.abort()
        await player.over.wait()
    return player
