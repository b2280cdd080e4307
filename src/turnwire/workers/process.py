"""One worker, as its supervisor knows it: a process, how it stands, and what it has to do."""

import asyncio
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from enum import Enum, auto
from typing import Any, Self

from turnwire.workers.balance import Load
from turnwire.workers.channel import Channel, Message
from turnwire.workers.handing import hand


class WorkerPhase(Enum):
    LOADING = auto()
    """Nothing is lost if it is killed."""
    OPENING = auto()
    """It reads what it is told, and may be about to show a key."""
    READY = auto()
    DRAINED = auto()
    """It only answers those who come that they should go elsewhere."""


class Worker:
    """`other` is told what it says that concerns others."""

    def __init__(
        self,
        number: int,
        process: Process,
        handing: socket.socket,
        other: Callable[["Worker", Message], None],
    ) -> None:
        self.number = number
        self.phase = WorkerPhase.LOADING
        self.load = Load(told_at=asyncio.get_running_loop().time())
        self.ca_file: str | None = None
        self.failure: str | None = None
        """Why it could not start, in one sentence."""
        self.ready_at: float | None = None
        self.drained: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._process = process
        self._channel: Channel | None = None
        self._handing = handing
        self._other = other

    @classmethod
    async def start(
        cls,
        number: int,
        command: Sequence[str],
        other: Callable[["Worker", Message], None],
        **begin: Any,
    ) -> Self:
        """`command` is run with the numbers of the worker and of its two sockets; `begin` is told
        to it first."""
        with ExitStack() as theirs, ExitStack() as failing:
            talk, their_talk = socket.socketpair()
            theirs.enter_context(their_talk)
            failing.enter_context(talk)
            handing, their_handing = socket.socketpair()
            theirs.enter_context(their_handing)
            failing.enter_context(handing)
            handing.setblocking(False)
            descriptors = (their_talk.fileno(), their_handing.fileno())
            process = await asyncio.create_subprocess_exec(
                *(*command, str(number), *map(str, descriptors)),
                stdin=DEVNULL,
                pass_fds=descriptors,
                # Ctrl-C in a terminal is for the supervisor, which tells its workers what to do.
                start_new_session=True,
            )
            worker = cls(number, process, handing, other)
            worker._channel = await Channel.over(talk, worker._take)
            failing.pop_all()
        worker.tell("begin", **begin)
        return worker

    @property
    def id(self) -> int:
        return self._process.pid

    @property
    def takes_connections(self) -> bool:
        return self.phase in (WorkerPhase.READY, WorkerPhase.DRAINED)

    def hand(self, connection: socket.socket) -> bool:
        """Give it a connection; false if it takes none."""
        handed = hand(connection, self._handing)
        self.load.handed += handed
        return handed

    def tell(self, kind: str, **what: Any) -> None:
        if self._channel is not None:
            self._channel.tell(kind, **what)

    async def ended(self) -> str:
        """Waits until its process has ended; gives how."""
        code = await self._process.wait()
        if self._channel is not None:
            # What it said last may still be on its way.
            await self._channel.gone
        self._handing.close()
        self.drained.cancel()
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()

    def _take(self, message: Message) -> None:
        self.load.told_at = asyncio.get_running_loop().time()
        match message["kind"]:
            case "opening":
                self.phase = WorkerPhase.OPENING
            case "failed":
                self.failure = message["text"]
            case "report":
                self.load.sessions, self.load.limit = message["sessions"], message["limit"]
                self.load.open, self.load.received = message["open"], message["received"]
            case "ready":
                self.phase = WorkerPhase.READY
                self.ready_at = asyncio.get_running_loop().time()
                self.ca_file = message["ca_file"]
                self._other(self, message)
            case "drained":
                self.phase = WorkerPhase.DRAINED
                self.drained.set_result(None)
            case _:
                self._other(self, message)
