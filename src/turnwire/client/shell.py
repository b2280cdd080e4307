"""The shell of a `ClientStream`: what its effects do to sockets, files, timers and handlers.

It gives the stream what happens, and lets the program wait for what it waits for. What follows
from what is all decided in `stream`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from turnwire.client import effects, events
from turnwire.client.connector import Connector
from turnwire.client.handlers import Handlers
from turnwire.client.messages import Turn
from turnwire.client.rereading import Files
from turnwire.client.stream import ClientStream
from turnwire.clock import Clock, PatientTimer, Timer

if TYPE_CHECKING:
    from turnwire.client.sockets import Socket

UNREAD_TURNS = 10_000
"""How many turns wait for a program that iterates; beyond these the oldest are dropped."""

UNCALLED = 1000
"""How many calls of handlers wait; beyond these the sockets are not read."""

_log = logging.getLogger(__name__)


class Shell:
    """Runs one stream."""

    def __init__(
        self, stream: ClientStream, handlers: Handlers, connector: Connector, clock: Clock
    ) -> None:
        self.files = Files()
        self.unread: deque[Turn] = deque(maxlen=UNREAD_TURNS)
        """Turns that came while `keeps_turns`."""
        self.keeps_turns = handlers.turn is None
        self.cause: BaseException | None = None
        """What the last connection failed of, if it did."""
        self.is_over = False
        """Whether the stream has ended, and all handlers have been told."""
        self._stream = stream
        self._handlers = handlers
        self._connector = connector
        self._clock = clock
        self._calls: deque[effects.Call] = deque()
        self._sockets: dict[int, Socket] = {}
        self._waiters: set[asyncio.Future[None]] = set()
        self._timer: Timer | None = None
        self._timer_due = float("inf")
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    @property
    def is_used(self) -> bool:
        """Whether it has been started."""
        return self._running is not None

    def start(self) -> None:
        """Have the stream open its first session."""
        self._running = asyncio.create_task(self._run())
        self.dispatch(events.Started())

    async def finished(self) -> None:
        """Wait until nothing is left to do. Raises what has gone wrong in here."""
        assert self._running is not None
        if not self._running.done():
            # Whoever waits may be cancelled; what is waited for is not.
            await asyncio.wait([self._running])
        self._running.result()

    def dispatch(self, event: events.Event) -> None:
        """Something has happened."""
        if self.is_over:
            return
        try:
            self.carry_out(self._stream.receive(event, self._clock.now()))
        except Exception as error:
            # A mistake of this client; nobody is left waiting for it.
            self._failure = error
            self._wake()
            raise

    def carry_out(self, effected: list[effects.Effect]) -> None:
        """Do what the stream says."""
        for effect in effected:
            match effect:
                case effects.Open():
                    self._open(effect)
                case effects.Send():
                    self._sockets[effect.leg].send(effect.frame)
                case effects.Ping():
                    self._sockets[effect.leg].ping()
                case effects.Close():
                    self._sockets[effect.leg].close()
                case effects.Drop():
                    self._sockets[effect.leg].drop()
                case effects.Reread():
                    task = asyncio.create_task(self._reread(effect))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                case effects.Call():
                    self._note(effect)
                case effects.Log():
                    _log.log(effect.level, "%s", effect.text)
        self._set_timer()
        self._wake()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until this holds; it is looked at whenever anything has happened."""
        while not reached():
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    # The handlers.

    def _note(self, call: effects.Call) -> None:
        if call.name == "turn" and self.keeps_turns:
            self.unread.append(call.arguments[0])
        if call.name == "error" and self.cause is not None:
            call.arguments[0].__cause__ = self.cause
        if getattr(self._handlers, call.name) is not None or call.name == "close":
            self._calls.append(call)

    async def _run(self) -> None:
        """Call the handlers until the last one has been told; then leave nothing behind."""
        try:
            while True:
                await self.until(lambda: bool(self._calls) or self._failure is not None)
                if self._failure is not None:
                    raise self._failure
                call = self._calls.popleft()
                self._wake()
                await self._handlers.call(call.name, *call.arguments)
                if call.name == "close":
                    return
        finally:
            await self._end()

    async def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._stream.closure is None:
            for socket in self._sockets.values():
                socket.drop()
        open_sockets = [socket.task for socket in self._sockets.values()]
        if open_sockets:
            await asyncio.wait(open_sockets)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.files.close()
        self._stream.timeline.recording.close()
        self.is_over = True
        self._wake()

    # Sockets, files and timers.

    def _open(self, effect: effects.Open) -> None:
        self.cause = None
        socket = self._connector.open(effect, report=self._report, unix_time=self._clock.unix_time)
        self._sockets[effect.leg] = socket
        socket.task.add_done_callback(lambda task: self._closed(effect.leg, task))

    async def _report(self, event: events.LegEvent) -> None:
        if isinstance(event, events.OpenFailed):
            self.cause = event.cause
        self.dispatch(event)
        await self.until(lambda: len(self._calls) < UNCALLED or self._stream.closure is not None)

    def _closed(self, leg: int, task: asyncio.Task[None]) -> None:
        self._sockets.pop(leg, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error
        self._wake()

    async def _reread(self, effect: effects.Reread) -> None:
        audio = await asyncio.to_thread(self.files.read, effect.start, effect.end)
        self.dispatch(events.AudioReread(effect.leg, audio))

    def _set_timer(self) -> None:
        due = self._stream.deadline()
        if self._timer is not None and (due is None or due < self._timer_due):
            self._timer.cancel()
            self._timer = None
        # A timer that comes too early only looks again.
        if due is not None and self._timer is None:
            self._timer_due = due
            self._timer = PatientTimer(self._clock, due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.dispatch(events.Tick())
