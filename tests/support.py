"""What tests of several rooms share: a server on a real socket, and a client without opinions."""

import asyncio
import heapq
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import websockets
from websockets.asyncio.client import ClientConnection, connect

from turnwire.accounts.admission import Registry
from turnwire.accounts.database import IN_MEMORY
from turnwire.accounts.store import Store
from turnwire.clock import Clock, LoopClock
from turnwire.profanity import masked
from turnwire.rehearsal.interceptor import Rehearsal
from turnwire.server.capacity import Capacity
from turnwire.server.extensions import Extend
from turnwire.server.http import listening
from turnwire.server.options import ServerOptions
from turnwire.server.port import Port
from turnwire.server.root_path import below
from turnwire.server.service import Service
from turnwire.session.options import SessionOptions
from turnwire.speech.echo import EchoEngine
from turnwire.speech.engine import Engine

RATE = 16_000

PATIENCE = 120.0
"""Seconds that a test waits for what must come, be the machine ever so slow: so nothing hangs."""

OPTIONS = SessionOptions(mask_profanity=masked)
"""For sessions without a server."""


def loud(ms: int) -> bytes:
    """Audio in which the echo engine hears a word every 250 ms."""
    return np.full(RATE * ms // 1000, 8000, "<i2").tobytes()


def quiet(ms: int) -> bytes:
    return bytes(RATE * ms // 1000 * 2)


def chunks(audio: bytes, ms: int = 50) -> Iterable[bytes]:
    """The audio in messages of `ms`; the last may be shorter."""
    size = RATE * ms // 1000 * 2
    return (audio[start : start + size] for start in range(0, len(audio), size))


class ManualClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self._now = 0.0
        self._calls: list[tuple[float, int, _Call]] = []
        self._count = itertools.count()

    def now(self) -> float:
        return self._now

    def unix_time(self) -> float:
        return 1_800_000_000 + self._now

    def call_at(self, when: float, call: Callable[[], None]) -> "_Call":
        due = _Call(call)
        heapq.heappush(self._calls, (when, next(self._count), due))
        return due

    def advance(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due meanwhile."""
        end = self._now + seconds
        while self._calls and self._calls[0][0] <= end:
            self._now, _, due = heapq.heappop(self._calls)
            if due.call is not None:
                due.call()
        self._now = end

    def stall(self, seconds: float) -> None:
        """Let time pass in which nothing happens, and come late to what was due meanwhile."""
        self._now += seconds
        while self._calls and self._calls[0][0] <= self._now:
            _, _, due = heapq.heappop(self._calls)
            if due.call is not None:
                due.call()

    def advance_to_next(self, *, within: float) -> None:
        """Let time pass until something is due, if anything is that soon."""
        due = [when for when, _, call in self._calls if call.call is not None]
        if due and min(due) <= self._now + within:
            self.advance(min(due) - self._now)


@dataclass
class _Call:
    call: Callable[[], None] | None

    def cancel(self) -> None:
        self.call = None


@dataclass
class Server:
    """A server with the echo engine, reachable with `key`."""

    url: str
    service: Service
    key: str = ""

    @property
    def store(self) -> Store:
        """The accounts and the ledger, unless it was made with another registry."""
        assert isinstance(self.service.registry, Store)
        return self.service.registry

    def connect(self, query: str = "", *, key: str | None = "", path: str = "/v3/ws") -> connect:
        """A connection yet to be made, with the server's key; None for no key."""
        key = self.key if key == "" else key
        return connect(
            f"{self.url}{path}?{query}",
            additional_headers={} if key is None else {"Authorization": key},
            proxy=None,
        )

    async def converse(
        self, query: str = "", messages: Iterable[bytes | str] = (), *, key: str | None = ""
    ) -> "Conversation":
        """Send all these messages, then read until the server closes."""
        async with self.connect(query, key=key) as socket:
            return await converse(socket, messages)

    def http(self, **options: Any) -> httpx.AsyncClient:
        """An HTTP client of this server."""
        return httpx.AsyncClient(base_url=self.url.replace("ws", "http", 1), **options)


@asynccontextmanager
async def serving(
    engine: Engine | None = None,
    *,
    clock: Clock | None = None,
    registry: Registry | None = None,
    capacity: Capacity | None = None,
    rehearse: bool = False,
    root_path: str = "",
    extend: Sequence[Extend] = (),
    port: int = 0,
    **options: Any,
) -> AsyncIterator[Server]:
    """A server with one account, `default`, that is not limited; `options` are `ServerOptions`."""
    clock = clock or LoopClock()
    key = ""
    if registry is None:
        registry = store = await Store.open(IN_MEMORY, node="test", clock=clock.unix_time)
        await store.management.create_account("default", sessions_per_minute=None)
        key = await store.management.create_key("default", name="test")
    service = Service(
        engine or EchoEngine(),
        registry,
        clock,
        ServerOptions(**options),
        capacity,
        extend=extend,
    )
    intercept = below(root_path, Rehearsal if rehearse else None)
    with Port.take("127.0.0.1", port) as taken:
        async with listening(service, taken, intercept=intercept) as url:
            yield Server(url, service, key)


@dataclass
class Conversation:
    """What a server said, to its close."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    code: int | None = None
    reason: str | None = None

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.messages]

    @property
    def ends_of_turn(self) -> list[dict[str, Any]]:
        return [message for message in self.messages if message.get("end_of_turn")]

    @property
    def transcript(self) -> str:
        return " ".join(turn["transcript"] for turn in self.ends_of_turn)


async def converse(socket: ClientConnection, messages: Iterable[bytes | str] = ()) -> Conversation:
    """Send all these messages, and read until the server closes."""
    conversation = Conversation()

    async def read() -> None:
        async for frame in socket:
            conversation.messages.append(json.loads(frame))

    async with asyncio.timeout(PATIENCE):
        reading = asyncio.create_task(read())
        # The server may close early; what it said is still to be read.
        with suppress(websockets.ConnectionClosed):
            for message in messages:
                await socket.send(message)
        with suppress(websockets.ConnectionClosedError):
            await reading
    conversation.code = socket.close_code
    conversation.reason = socket.close_reason
    return conversation


TERMINATE = json.dumps({"type": "Terminate"})


def spoken(*texts: str) -> Sequence[str]:
    """The words of these texts, one by one, as a script for the echo engine."""
    return [word for text in texts for word in text.split()]
