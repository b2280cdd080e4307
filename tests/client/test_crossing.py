"""A server that ends a session by itself while Terminate is on its way to it, on a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from tests.client.servers import BEGIN, TERMINATE, as_json, turn
from tests.support import loud
from turnwire.client import AsyncClient
from turnwire.client.messages import ServerMessage, Termination

SECONDS = 5

HEARD_MS = 700
"""What the words of `turn("one two")` last, from the beginning of the audio."""


class Crossing:
    """Ends its first session without having read what came with Terminate; others as is usual."""

    def __init__(self) -> None:
        self.audio: list[int] = []
        """How many bytes of it each session was sent."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.audio)
        self.audio.append(0)
        protocol = ServerProtocol()
        while data := await reader.read(65536):
            protocol.receive_data(data)
            for event in protocol.events_received():
                if isinstance(event, Request):
                    protocol.send_response(protocol.accept(event))
                    self._write(writer, protocol)
                    self._tell(writer, BEGIN, turn("one two"))
                    continue
                assert isinstance(event, Frame)
                if event.opcode is Opcode.BINARY:
                    self.audio[number] += len(event.data)
                elif event.opcode is Opcode.TEXT and event.data == TERMINATE.encode():
                    if number > 0:
                        self._write(writer, protocol)
                        self._tell(writer, turn("three four"))
                    # Of the first session, the pong stays with the protocol: its ping is unread.
                    self._tell(writer, Termination())
                    closing = Close(1000, "Session Ended").serialize()
                    writer.write(Frame(Opcode.CLOSE, closing).serialize(mask=False))
            await writer.drain()
        writer.close()

    def _write(self, writer: asyncio.StreamWriter, protocol: ServerProtocol) -> None:
        for data in protocol.data_to_send():
            writer.write(data)

    def _tell(self, writer: asyncio.StreamWriter, *messages: ServerMessage) -> None:
        for message in messages:
            writer.write(Frame(Opcode.TEXT, as_json(message).encode()).serialize(mask=False))


@asynccontextmanager
async def crossing() -> AsyncIterator[tuple[Crossing, str]]:
    server = Crossing()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        yield server, f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def test_what_it_had_not_read_is_sent_again() -> None:
    async with crossing() as (server, url):
        async with AsyncClient(url) as client:
            await client.send(loud(1000 * SECONDS))
        assert client.closure is not None
        assert (client.closure.complete, client.closure.gaps) == (True, ())
        assert len(server.audio) == 2
        # All behind the turn that it had told, and silence, by which figures would tell.
        assert server.audio[1] >= 32 * (1000 * SECONDS - HEARD_MS) - 32 * 100


async def test_it_is_a_gap_where_there_is_no_other_session() -> None:
    async with crossing() as (server, url):
        async with AsyncClient(url, reconnect=None) as client:
            await client.send(loud(1000 * SECONDS))
        assert client.closure is not None
        assert not client.closure.complete
        [gap] = client.closure.gaps
        assert HEARD_MS <= gap.start <= HEARD_MS + 300
        assert gap.end == 1000 * SECONDS
        assert len(server.audio) == 1
