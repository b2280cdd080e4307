"""No connection takes more than its share of a turn of the loop; none is heard after its end."""

import asyncio
from typing import Any

from tests.support import PATIENCE
from tests.transport.echo import Echo
from tests.transport.rfc6455 import PING, close, frame
from turnwire.transport import websocket
from turnwire.transport.limits import MESSAGES_AT_ONCE, Turns
from turnwire.transport.notices import Notices
from turnwire.transport.request import Request
from turnwire.transport.socket import Socket
from turnwire.transport.websocket import WebSocket


class FakeTransport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.reading = True
        self.closing = False
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = self.aborted = True

    def can_write_eof(self) -> bool:
        return False


class Recorder(Echo):
    def __init__(self, socket: Socket) -> None:
        super().__init__(socket)
        self.messages: list[str | bytes] = []
        self.closure = ""

    def received(self, message: str | bytes) -> None:
        self.messages.append(message)

    def refused(self, closure: Any) -> None:
        self.closure = closure.row.name
        super().refused(closure)


class TickingClock:
    """Goes on by 0.1 ms each time that it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.0001
        return self.now


def opened(turns: Turns | None = None) -> tuple[WebSocket, FakeTransport, Recorder]:
    transport = FakeTransport()
    request = Request(method="GET", target="/", version="1.1", headers=[])
    found: list[Recorder] = []

    def opening(socket: Socket) -> Recorder:
        found.append(Recorder(socket))
        return found[0]

    socket = WebSocket(
        transport,  # type: ignore[arg-type]
        request,
        turns or Turns(lambda: 0.0),
        opening,
        on_lost=lambda _: None,
    )
    return socket, transport, found[0]


async def test_a_connection_goes_on_in_the_next_turn_and_is_not_read_meanwhile() -> None:
    socket, transport, recorder = opened(Turns(TickingClock()))
    socket.data_received(frame(2, b"a" * 100) * 1000)
    # A turn has 2 ms, and a frame takes 0.1.
    assert 10 < len(recorder.messages) < 30
    assert not transport.reading
    before = len(recorder.messages)
    await asyncio.sleep(0)
    assert 10 < len(recorder.messages) - before < 30
    while not transport.reading:
        await asyncio.sleep(0)
    assert len(recorder.messages) == 1000
    socket.connection_lost(None)


async def test_the_more_wait_the_smaller_is_the_share_of_each() -> None:
    turns = Turns(TickingClock())
    sockets = [opened(turns) for _ in range(8)]
    for socket, _, _ in sockets:
        socket.data_received(frame(2, b"a" * 100) * 300)
    before = sum(len(recorder.messages) for _, _, recorder in sockets)
    await asyncio.sleep(0)
    assert sum(len(recorder.messages) for _, _, recorder in sockets) - before < 60
    for socket, _, _ in sockets:
        socket.connection_lost(None)
        while not sockets[0][2].ended:
            await asyncio.sleep(0)


async def test_nothing_is_heard_once_the_end_is_decided() -> None:
    socket, transport, recorder = opened()
    socket.close(1000, "")
    socket.data_received(frame(2, b"a") * 1000 + frame(PING))
    assert recorder.messages == []
    assert len(transport.written) == 1
    assert not transport.closing
    socket.data_received(close())
    assert transport.closing
    socket.connection_lost(None)
    assert recorder.ended


async def test_a_client_that_never_closes_is_gone_in_time(monkeypatch: Any) -> None:
    monkeypatch.setattr(websocket, "CLOSE_SECONDS", 0.01)
    socket, transport, _ = opened()
    socket.close(1000, "")
    async with asyncio.timeout(PATIENCE):
        while not transport.aborted:
            await asyncio.sleep(0.01)
    socket.connection_lost(None)


async def test_a_flood_ends_by_its_allowance() -> None:
    socket, transport, recorder = opened()
    socket.data_received(frame(PING, b"x") * 10_000)
    assert recorder.closure == "message_rate"
    assert len(transport.written) == MESSAGES_AT_ONCE + 1
    socket.connection_lost(None)


async def test_pongs_for_a_client_that_does_not_read_do_not_pile_up() -> None:
    socket, transport, _ = opened()
    socket.pause_writing()
    for number in range(100):
        socket.data_received(frame(PING, b"%d" % number))
    assert transport.written == []
    socket.resume_writing()
    assert transport.written == [b"\x8a\x0299"]
    socket.connection_lost(None)


async def test_what_waits_for_a_held_receiver_is_bounded_and_pings_are_answered() -> None:
    socket, transport, recorder = opened()
    socket.hold()
    socket.data_received(frame(2, bytes(100_000)) + frame(PING, b"?"))
    assert transport.written == [b"\x8a\x01?"]
    assert transport.reading
    socket.data_received(frame(2, bytes(100_000)) * 3)
    assert not transport.reading
    socket.release()
    while len(recorder.messages) < 4:
        await asyncio.sleep(0)
    assert transport.reading
    socket.connection_lost(None)


async def test_a_client_from_which_nothing_comes_is_gone_unless_it_is_not_read(
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(websocket, "PING_SECONDS", 0.01)
    silent, silent_transport, _ = opened()
    unread, unread_transport, _ = opened()
    unread.hold()
    unread.data_received(frame(2, bytes(100_000)) * 4)
    async with asyncio.timeout(PATIENCE):
        while not silent_transport.aborted:
            await asyncio.sleep(0.01)
    assert silent_transport.written == [b"\x89\0"]
    assert not unread_transport.aborted
    silent.connection_lost(None)
    unread.finish()
    unread.connection_lost(None)


def test_what_happens_all_the_time_is_logged_once_a_minute(caplog: Any) -> None:
    times = iter((0.0, 1.0, 2.0, 61.0, 62.0))
    notices = Notices(lambda: next(times))
    for _ in range(5):
        notices.warn("it is full")
    assert [record.message for record in caplog.records] == [
        "it is full",
        "it is full (and 2 times in the minute before)",
    ]
