"""A WebSocket of any ASGI server, as a session sees it: a `turnwire.transport.socket.Socket`.

The server that has the connection reads its frames, answers its pings and times its close. What is
left to do here: messages wait while the session holds the socket, a client that does not read makes
the session wait, and the limits of messages are those of the protocol.
"""

import asyncio
from collections import deque
from contextlib import suppress

from starlette.types import Message, Receive, Send

from turnwire.transport.limits import COUNTED_BYTES, Allowance
from turnwire.transport.request import Request
from turnwire.transport.socket import Opening, Receiver
from turnwire.transport.websocket import SEND_SECONDS
from turnwire.wire.closure import Closure
from turnwire.wire.closures import MESSAGE_RATE, MESSAGE_TOO_LARGE
from turnwire.wire.limits import MESSAGE_BYTES

UNSENT = 16
"""How many messages the server may leave unsent before the session holds back its own."""


class AsgiSocket:
    def __init__(self, request: Request, receive: Receive, send: Send) -> None:
        self.request = request
        self._receive = receive
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._allowance = Allowance(self._loop.time())
        self._unsent: deque[Message] = deque()
        self._to_send = asyncio.Event()
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._finished = False
        self._closed = False
        self._over: asyncio.Future[None] = self._loop.create_future()

    @property
    def writable(self) -> bool:
        return len(self._unsent) < UNSENT

    def send(self, message: str | bytes) -> None:
        kind = "text" if isinstance(message, str) else "bytes"
        self._queue({"type": "websocket.send", kind: message})

    def hold(self) -> None:
        self._may_read.clear()

    def release(self) -> None:
        self._may_read.set()

    def finish(self) -> None:
        self._finished = True
        self._may_read.set()

    def close(self, code: int, reason: str) -> None:
        self.finish()
        self._queue({"type": "websocket.close", "code": code, "reason": reason})
        self._closed = True

    def abort(self) -> None:
        self._end()

    async def serve(self, opening: Opening) -> None:
        """Until the connection is closed, by whomever."""
        receiver = opening(self)
        tasks = [
            asyncio.create_task(self._reading(receiver)),
            asyncio.create_task(self._writing(receiver)),
        ]
        try:
            await self._over
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._closed = True
            receiver.gone()

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)

    def _queue(self, message: Message) -> None:
        if not self._closed:
            self._unsent.append(message)
            self._to_send.set()

    async def _reading(self, receiver: Receiver) -> None:
        try:
            while True:
                await self._may_read.wait()
                message = await self._receive()
                await self._may_read.wait()
                if message["type"] == "websocket.disconnect":
                    return
                if not self._finished:
                    self._deliver(receiver, message)
                # A server that has many messages at hand would let nobody else have a turn.
                await asyncio.sleep(0)
        finally:
            self._end()

    def _deliver(self, receiver: Receiver, message: Message) -> None:
        text, data = message.get("text"), message.get("bytes")
        content = text if data is None else data
        if content is None:
            return
        if (closure := self._broken_rule(content)) is not None:
            self.finish()
            receiver.refused(closure)
        else:
            receiver.received(content)

    def _broken_rule(self, content: str | bytes) -> Closure | None:
        size = len(content.encode()) if isinstance(content, str) else len(content)
        if size > MESSAGE_BYTES:
            return MESSAGE_TOO_LARGE.fill(size=size, limit=MESSAGE_BYTES)
        cost = 1 + size // COUNTED_BYTES if isinstance(content, str) else int(not content)
        within_rate = not cost or self._allowance.take(cost, self._loop.time())
        return None if within_rate else MESSAGE_RATE.fill()

    async def _writing(self, receiver: Receiver) -> None:
        try:
            # A client that reads nothing for so long is gone. One that went is told of in any of
            # these ways.
            with suppress(TimeoutError, OSError, RuntimeError):
                while True:
                    await self._to_send.wait()
                    async with asyncio.timeout(SEND_SECONDS):
                        await self._send(self._unsent[0])
                    sent = self._unsent.popleft()
                    if sent["type"] == "websocket.close":
                        return
                    if not self._unsent:
                        self._to_send.clear()
                    if len(self._unsent) == UNSENT - 1:
                        receiver.writable_again()
        finally:
            self._end()
