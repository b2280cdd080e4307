"""What all connections of one server share."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from turnwire.accounts.admission import Grant, Registry
from turnwire.clock import Clock, LoopClock, pause, resolve
from turnwire.server.admission import Admission
from turnwire.server.capacity import Capacity
from turnwire.server.connection import Connection
from turnwire.server.decoders import Decoders
from turnwire.server.extensions import Extend, Extension
from turnwire.server.held_audio import HeldAudio
from turnwire.server.lag import LoopLag
from turnwire.server.leases import Leases
from turnwire.server.observers import Observers
from turnwire.server.options import ServerOptions
from turnwire.server.siblings import Alone, Siblings
from turnwire.server.wrong_keys import WrongKeys
from turnwire.speech.engine import Engine
from turnwire.transport.notices import Notices
from turnwire.transport.socket import Socket
from turnwire.wire.closure import Violation
from turnwire.wire.closures import CLIENT_GONE, NO_CAPACITY, SERVER_STOPPING
from turnwire.wire.parameters import ConnectionParameters
from turnwire.wire.support import check_served

DRAIN_SECONDS = 10.0
"""How long open sessions have to deliver their last words when the server stops."""

END_SECONDS = 5.0
"""How long those that took longer have to end at once."""

NO_ROOM = "This server has as many sessions as it can serve."

logger = logging.getLogger(__name__)


@dataclass
class Service:
    """One server's sessions, and what they need."""

    engine: Engine
    registry: Registry
    clock: Clock = field(default_factory=LoopClock)
    options: ServerOptions = field(default_factory=ServerOptions)
    capacity: Capacity | None = None
    """None: for any number."""
    lag: LoopLag = field(default_factory=LoopLag)
    notices: Notices = field(default_factory=Notices)
    held_audio: HeldAudio = field(default_factory=HeldAudio)
    decoders: Decoders = field(default_factory=Decoders)
    extend: Sequence[Extend] = ()
    siblings: Siblings = field(default_factory=Alone)
    drain_asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by whoever wants the server to take no new sessions and end with its open ones."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once its sessions are being ended: nothing that goes on alongside may last longer."""
    leases: Leases = field(init=False)
    wrong_keys: WrongKeys = field(init=False)
    extensions: Sequence[Extension] = field(init=False)

    def __post_init__(self) -> None:
        self.leases = Leases(self)
        self.wrong_keys = WrongKeys(self.clock, self.notices)
        self._admission = Admission(self.leases, self.wrong_keys, self.notices)
        self._open: set[Connection] = set()
        self._admitted: set[Connection] = set()
        self._recordings: set[Connection] = set()
        """Those of the admitted that are for recordings."""
        self.draining = False
        """Whether it takes no new sessions any more."""
        self._all_left: asyncio.Future[None] | None = None
        # Last: they may ask for anything above.
        self.extensions = [extend(self) for extend in self.extend]

    @property
    def open_connections(self) -> int:
        """WebSockets that are open, whether they have a session or not yet."""
        return len(self._open)

    @property
    def open_sessions(self) -> int:
        return len(self._admitted)

    @property
    def outage_seconds(self) -> float:
        return self.options.outage_seconds

    @property
    def session_limit(self) -> int | None:
        """How many there may be now; None: any number."""
        if self.options.max_sessions is not None or self.capacity is None:
            return self.options.max_sessions
        return self.capacity.limit()

    def connect(self, socket: Socket) -> Connection:
        """Serve a WebSocket that has just been opened."""
        connection = Connection(socket, self)
        self._open.add(connection)
        if self.stopping.is_set():
            connection.drain(SERVER_STOPPING.fill())
        elif self.draining:
            # Its handshake was on its way when that began.
            connection.drain(NO_CAPACITY.fill())
        else:
            connection.begin()
        return connection

    def check(self, parameters: ConnectionParameters) -> None:
        """Raises `Violation` for what no session of this server can be asked for."""
        served = {name for extension in self.extensions for name in extension.parameters}
        check_served(parameters, served)
        for extension in self.extensions:
            extension.check(parameters)

    def watchers(self, connection: Connection) -> Observers | None:
        watching = [extension.watch(connection) for extension in self.extensions]
        observers = [observer for observer in watching if observer is not None]
        return Observers(observers) if observers else None

    async def admit(self, connection: Connection, credential: str | None, address: str) -> Grant:
        """Let a client have a session. Raises `Violation` if it may not."""

        def take_slot() -> None:
            if connection not in self._open:
                raise Violation(CLIENT_GONE.fill())
            limit = self.session_limit
            if limit is not None and len(self._admitted) >= limit:
                raise Violation(NO_CAPACITY.fill())
            self._admitted.add(connection)
            if connection.recording:
                self._recordings.add(connection)
            self._count()

        return await self._admission.admit(connection, credential, address=address, check=take_slot)

    def left(self, connection: Connection) -> None:
        """A connection has ended, and let go of everything."""
        self._open.discard(connection)
        self._admitted.discard(connection)
        self._recordings.discard(connection)
        self._count()
        if not self._open and self._all_left is not None:
            resolve(self._all_left)

    def _count(self) -> None:
        if self.capacity is not None:
            self.capacity.changed(len(self._admitted), len(self._recordings))
        self.siblings.note_sessions()

    def not_ready(self) -> str | None:
        """Why new sessions should go elsewhere; None if they may come."""
        if self.draining or self.stopping.is_set():
            return "This server is draining."
        if not self.leases.reachable:
            return "The accounts cannot be reached."
        if self.session_limit is not None and self.open_sessions >= self.session_limit:
            return NO_ROOM
        return None

    def ask_to_drain(self) -> None:
        """Take no new sessions from now on, and tell whoever runs the server."""
        self.draining = True
        self.drain_asked.set()
        self.siblings.drain()

    async def drain(self, seconds: float, hurry: asyncio.Event) -> None:
        """Take no new sessions, and wait until the open ones have ended.

        For so many seconds at most, or until somebody hurries.
        """
        self.draining = True
        waiting = [
            asyncio.create_task(self._all_left_within(None)),
            asyncio.create_task(pause(self.clock, seconds)),
            asyncio.create_task(hurry.wait()),
        ]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)

    async def stop(self) -> None:
        """End every session, its last words delivered, and open no more."""
        self.stopping.set()
        for connection in list(self._open):
            connection.drain(SERVER_STOPPING.fill())
        if not await self._all_left_within(DRAIN_SECONDS):
            for connection in list(self._open):
                connection.abort(SERVER_STOPPING.fill())
            await self._all_left_within(END_SECONDS)

    async def _all_left_within(self, seconds: float | None) -> bool:
        if self._open:
            self._all_left = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._all_left], timeout=seconds)
        return not self._open

    async def aclose(self) -> None:
        """Let go of all that sessions needed, once they have ended."""
        for extension in self.extensions:
            try:
                await extension.aclose()
            except Exception:
                logger.exception("%s could not finish its work", type(extension).__name__)
        await self._admission.aclose()
        await self.decoders.aclose()
        await self.engine.close()
        await self.registry.close()
