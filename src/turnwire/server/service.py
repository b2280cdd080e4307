"""What all connections of one server share."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.websockets import WebSocket

from turnwire.accounts.admission import Registry
from turnwire.server.capacity import Capacity
from turnwire.server.clock import Clock, LoopClock
from turnwire.server.connection import Connection
from turnwire.server.decoders import Decoders
from turnwire.server.lag import LoopLag
from turnwire.server.leases import OUTAGE_SECONDS, Leases
from turnwire.session.options import AHEAD_SECONDS
from turnwire.speech.engine import Engine
from turnwire.wire.closures import NO_CAPACITY, SERVER_STOPPING

DRAIN_SECONDS = 10.0
"""How long open sessions have to deliver their last words when the server stops."""


@dataclass
class Service:
    """One server's sessions, and what they need."""

    engine: Engine
    registry: Registry
    clock: Clock = field(default_factory=LoopClock)
    max_sessions: int | None = None
    """How many sessions there may be at once; None: as many as there is capacity for."""
    capacity: Capacity | None = None
    """None: for any number."""
    ahead_seconds: float = AHEAD_SECONDS
    codes: Mapping[str, int] = field(default_factory=dict)
    """Close codes other than the table's, by the name of the row."""
    lag: LoopLag = field(default_factory=LoopLag)
    outage_seconds: float = OUTAGE_SECONDS
    """How long sessions go on while the registry's store cannot be reached."""
    leases: Leases = field(init=False)
    _decoders: Decoders = field(default_factory=Decoders)
    _open: dict[Connection, asyncio.Task[None] | None] = field(default_factory=dict)
    _stopping: bool = False

    def __post_init__(self) -> None:
        self.leases = Leases(self)

    @property
    def open_sessions(self) -> int:
        return len(self._open)

    @property
    def session_limit(self) -> int | None:
        """How many there may be now; None: any number."""
        if self.max_sessions is not None or self.capacity is None:
            return self.max_sessions
        return self.capacity.limit()

    async def serve(self, websocket: WebSocket) -> None:
        """One connection, from its upgrade to its close."""
        connection = Connection(
            websocket,
            engine=self.engine,
            decoders=self._decoders,
            leases=self.leases,
            clock=self.clock,
            ahead_seconds=self.ahead_seconds,
            codes=self.codes,
        )
        if self._stopping:
            connection.drain(SERVER_STOPPING.fill())
        elif (limit := self.session_limit) is not None and len(self._open) >= limit:
            connection.drain(NO_CAPACITY.fill())
        self._open[connection] = asyncio.current_task()
        self._count()
        try:
            await connection.run()
        finally:
            del self._open[connection]
            self._count()

    def _count(self) -> None:
        if self.capacity is not None:
            self.capacity.changed(len(self._open))

    async def stop(self) -> None:
        """End every session, its last words delivered, and open no more."""
        self._stopping = True
        for connection in self._open:
            connection.drain(SERVER_STOPPING.fill())
        tasks = [task for task in self._open.values() if task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()

    async def aclose(self) -> None:
        """Let go of all that sessions needed, once they have ended."""
        await self._decoders.aclose()
        await self.engine.close()
        await self.registry.close()
