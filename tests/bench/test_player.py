"""What a player makes of what comes, without sockets."""

import asyncio
from dataclasses import replace
from typing import cast

from websockets.http11 import Request
from websockets.server import ServerProtocol

from tests.client.servers import BEGIN, as_json
from turnwire.bench.measuring import judge
from turnwire.bench.player import Player, Take
from turnwire.bench.session_audio import Passage, SessionAudio
from turnwire.wire.closures import INTERNAL_ERROR
from turnwire.wire.messages import Error

SPOKEN = SessionAudio(16_000, [Passage(None, [b"frame"] * 5, whole=False)])


class Wire:
    """The transport of a player, and the server at its other end."""

    def __init__(self) -> None:
        self.server = ServerProtocol()
        self.sent: list[bytes] = []
        self.player = Player(Take(SPOKEN, 0.0), "ws://server/v3/ws", "key")
        self.player.connection_made(cast(asyncio.Transport, self))
        self.server.receive_data(b"".join(self.sent))
        (request,) = self.server.events_received()
        assert isinstance(request, Request)
        self.server.send_response(self.server.accept(request))

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def deliver(self) -> None:
        """What the server has to say arrives."""
        self.player.data_received(b"".join(self.server.data_to_send()))


async def test_a_refusal_counts_though_a_reset_follows() -> None:
    wire = Wire()
    refusal = INTERNAL_ERROR.fill()
    wire.server.send_text(Error.of(refusal).to_json().encode())
    wire.server.send_close(refusal.code, refusal.reason)
    wire.deliver()
    assert wire.player.begun.is_set()
    sent = len(wire.sent)
    assert not wire.player.play()
    assert len(wire.sent) == sent, "nothing follows a close frame"
    wire.player.connection_lost(ConnectionResetError())
    assert judge(wire.player.take).missed == "did not begin (1011)"


async def test_a_connection_that_is_lost_has_no_close_frame() -> None:
    wire = Wire()
    begin = replace(BEGIN, configuration={"model": "echo", "api_version": "v3"})
    wire.server.send_text(as_json(begin).encode())
    wire.deliver()
    assert wire.player.play()
    wire.player.connection_lost(ConnectionResetError())
    assert judge(wire.player.take).missed == "ended early (no close frame)"
