"""Sessions as a client without patience has them: what it is told first is what counts."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support import loud, quiet
from turnwire import AsyncClient

MIN_SILENCE, MAX_SILENCE = 100, 200
"""Milliseconds after which turns end."""

WORDS_A_SECOND = 2
"""That the echo engine hears in `SECOND`."""

SECOND = loud(500) + quiet(500)

CHUNK = 8000
"""A quarter of a second, in bytes."""


@dataclass(frozen=True)
class Outcome:
    begun: bool
    words: int
    code: int | None
    reason: str


class Talk:
    """An open connection, read all the time."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._begun = asyncio.Event()
        self._words = 0
        self._reading = asyncio.create_task(self._read())

    async def begun(self) -> None:
        await asyncio.wait_for(self._begun.wait(), 60)

    async def speak(self, seconds: float) -> None:
        """In real time."""
        for _ in range(round(seconds)):
            for chunk in chunks():
                await self._socket.send(chunk)
                await asyncio.sleep(CHUNK / 32_000)

    async def end(self) -> Outcome:
        await self._socket.send(json.dumps({"type": "Terminate"}))
        return await self.outcome()

    async def outcome(self) -> Outcome:
        """Once it is closed."""
        await asyncio.wait_for(self._reading, 60)
        code, reason = self._socket.close_code, self._socket.close_reason
        return Outcome(self._begun.is_set(), self._words, code, reason or "")

    async def _read(self) -> None:
        try:
            while True:
                message = json.loads(await self._socket.recv())
                if message["type"] == "Begin":
                    self._begun.set()
                if message["type"] == "Turn" and message["end_of_turn"]:
                    self._words += len(message["transcript"].split())
        except ConnectionClosed:
            pass


def chunks() -> list[bytes]:
    return [SECOND[first : first + CHUNK] for first in range(0, len(SECOND), CHUNK)]


@asynccontextmanager
async def talk(url: str, key: str) -> AsyncIterator[Talk]:
    """A connection with a key, or with a token."""
    query = f"min_turn_silence={MIN_SILENCE}&max_turn_silence={MAX_SILENCE}"
    async with connect(
        f"{url}/v3/ws?{query}",
        additional_headers={"Authorization": key},
        proxy=None,
        open_timeout=60,
    ) as socket:
        yield Talk(socket)


async def spoken(url: str, key: str, *, seconds: float) -> Outcome:
    """A session that speaks for so long and ends; refused or not, the outcome says."""
    async with talk(url, key) as talking:
        try:
            await talking.speak(seconds)
            return await talking.end()
        except ConnectionClosed:
            return await talking.outcome()


async def dictated(url: str, key: str, *, seconds: int) -> int:
    """How many words our own client makes of so much speech."""
    words = 0
    async with AsyncClient(
        url, api_key=key, min_turn_silence=MIN_SILENCE, max_turn_silence=MAX_SILENCE
    ) as client:

        async def send() -> None:
            for chunk in chunks() * seconds:
                await client.send(chunk)
                await asyncio.sleep(CHUNK / 32_000)
            await client.close()

        sending = asyncio.create_task(send())
        async for turn in client:
            if turn.end_of_turn:
                words += len(turn.transcript.split())
        await sending
    return words
