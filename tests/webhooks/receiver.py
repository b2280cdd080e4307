"""A server that webhooks are posted to, and that answers each attempt as a test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import h11

from tests.support import PATIENCE

Answer = int | bytes | None
"""A status; raw bytes; or None, to hang up without a word."""

SILENCE: Answer = b""
"""Takes the request and never answers."""


@dataclass
class Posted:
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    def __init__(self, answers: Iterable[Answer]) -> None:
        self._answers = iter(answers)
        self.posted: list[Posted] = []
        self.port = 0
        self._changed = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?secret=yes"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            posted = await _read(reader)
            answer = next(self._answers, 200)
            self.posted.append(posted)
            async with self._changed:
                self._changed.notify_all()
            if answer == SILENCE:
                await reader.read()  # until the other side has had enough
            elif answer is not None:
                writer.write(answer if isinstance(answer, bytes) else _answer(answer))
                await writer.drain()
        finally:
            writer.close()

    async def wait_for(self, count: int) -> None:
        """Until so many attempts have come."""
        await self.until(lambda: len(self.posted) >= count)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(condition)


@asynccontextmanager
async def receiving(*answers: Answer) -> AsyncIterator[Receiver]:
    """Answers the attempts with these, one after the other, and with 200 after that."""
    receiver = Receiver(answers)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver


async def _read(reader: asyncio.StreamReader) -> Posted:
    connection = h11.Connection(h11.SERVER)
    headers: dict[str, str] = {}
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            headers = {name.decode(): value.decode() for name, value in event.headers}
        elif isinstance(event, h11.Data):
            body += event.data
        else:
            return Posted(headers, body)


def _answer(status: int) -> bytes:
    where = "Location: http://127.0.0.1:1/\r\n" if 300 <= status < 400 else ""
    return f"HTTP/1.1 {status} Well\r\n{where}Content-Length: 2\r\n\r\nok".encode()
