"""What all connections of one server share."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.websockets import WebSocket

from turnwire.accounts.admission import LEASE_SECONDS, RENEWAL_SECONDS, Registry
from turnwire.server.capacity import Capacity
from turnwire.server.clock import Clock, LoopClock, pause
from turnwire.server.connection import Connection
from turnwire.server.decoders import Decoders
from turnwire.server.lag import LoopLag
from turnwire.session.options import AHEAD_SECONDS
from turnwire.speech.engine import Engine
from turnwire.wire.closures import LEASE_LOST, NO_CAPACITY, SERVER_STOPPING

DRAIN_SECONDS = 10.0
"""How long open sessions have to deliver their last words when the server stops."""

logger = logging.getLogger(__name__)


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
    _decoders: Decoders = field(default_factory=Decoders)
    _open: dict[Connection, asyncio.Task[None] | None] = field(default_factory=dict)
    _stopping: bool = False

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
            registry=self.registry,
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

    async def renew(self) -> None:
        """Every few seconds, renew the leases of all sessions. Never ends.

        While that fails, sessions go on for as long as their leases hold.
        """
        while True:
            await pause(self.clock, RENEWAL_SECONDS)
            now = self.clock.now()
            entered = [connection for connection in self._open if connection.entered]
            usages = {connection.id: connection.usage() for connection in entered}
            try:
                async with asyncio.timeout(RENEWAL_SECONDS):
                    await self.registry.renew(usages, now=self.clock.unix_time())
            except Exception:
                logger.exception("leases could not be renewed; trying again later")
                for connection in entered:
                    if self.clock.now() - connection.renewed_at >= LEASE_SECONDS:
                        connection.drain(LEASE_LOST.fill())
            else:
                for connection in entered:
                    connection.renewed_at = now

    async def sweep(self) -> None:
        """Now and then, close the ledger entries of sessions whose server died. Never ends."""
        while True:
            await pause(self.clock, LEASE_SECONDS)
            try:
                lost = await self.registry.close_lost(self.clock.unix_time())
            except Exception:
                logger.exception("lost sessions could not be closed; trying again later")
            else:
                if lost:
                    logger.warning("%d sessions of a server that died were closed as lost", lost)

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
