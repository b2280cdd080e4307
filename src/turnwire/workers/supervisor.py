"""Keeps workers running, gives each connection to one of them, and has all of them stop.

It has the port and no session. A worker that dies takes its sessions with it, whose leases lapse,
and is started again.
"""

import asyncio
import logging
import secrets
import socket
from collections.abc import Callable, Sequence

from turnwire.server.port import Port
from turnwire.server.settings import Settings
from turnwire.server.siblings import total
from turnwire.transport.arrivals import RETRY_SECONDS, Accepted
from turnwire.transport.notices import Notices
from turnwire.workers.balance import by_room
from turnwire.workers.channel import Message
from turnwire.workers.process import Worker, WorkerPhase
from turnwire.workers.restarts import Restarts
from turnwire.workers.shares import processors, settings_of

DRAIN_GRACE_SECONDS = 5.0
"""How much longer workers may take to drain than they mean to; all wait for one that hangs."""

STOP_SECONDS = 60.0
"""How long workers may take to end; then they are killed."""

LOOK_SECONDS = 5.0
LOOKS = 12
"""A worker that has told nothing from one look to the next, so often in a row, hangs."""

logger = logging.getLogger(__name__)


class WorkerFailed(Exception):
    """A worker cannot be started; the text is one sentence for the operator."""


class Supervisor:
    def __init__(
        self,
        settings: Settings,
        port: Port,
        url: str,
        command: Sequence[str],
        drain_asked: Callable[[], None],
    ) -> None:
        """`command` starts a worker; `drain_asked` is called when a client of one asks for that.

        Raises `SettingsError` if there cannot be so many workers.
        """
        self._settings = settings
        self._port = port
        self._url = url
        self._command = command
        self._drain_asked = drain_asked
        self._server = secrets.token_hex(4)
        self._processors = processors(settings.workers)
        self._workers: dict[int, Worker] = {}
        """Those whose processes run, by their numbers."""
        self._ready = {number: asyncio.Event() for number in range(1, settings.workers + 1)}
        """Those that were once."""
        self._keeping: dict[int, asyncio.Task[None]] = {}
        self._arrivals: Sequence[Accepted] = ()
        self._waiting: list[socket.socket] = []
        """Connections that no worker could take yet. They are few, as nothing is accepted
        meanwhile."""
        self._retry: asyncio.TimerHandle | None = None
        self._stopping = False
        self._closed = False
        self._deaths = 0

    @property
    def sessions(self) -> int:
        return sum(worker.load.sessions for worker in self._workers.values())

    @property
    def session_limit(self) -> int | None:
        """How many sessions there may be now; None: any number."""
        return total(worker.load.limit for worker in self._workers.values())

    @property
    def ca_file(self) -> str | None:
        """The authority that clients are to trust, if it is one of our own."""
        return next((worker.ca_file for worker in self._workers.values()), None)

    async def start(self) -> None:
        """Start all, and let clients connect. Raises `WorkerFailed`, `AddressUnusable`.

        The first worker starts alone: what is made once, such as tables, a key, a certificate, is
        there when the others come.
        """
        await self._start(1)
        others = range(2, self._settings.workers + 1)
        await asyncio.gather(*(self._start(number) for number in others))
        loop = asyncio.get_running_loop()
        self._arrivals = self._port.arrivals(Notices(loop.time))
        self._accept()

    async def _start(self, number: int) -> None:
        """Returns when this worker is ready."""
        keeping = self._keeping[number] = asyncio.create_task(self._keep(number))
        ready = asyncio.create_task(self._ready[number].wait())
        await asyncio.wait((ready, keeping), return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if keeping.done():
            await keeping

    async def _keep(self, number: int) -> None:
        """Have this worker run until all stop. Raises `WorkerFailed` if it was never ready."""
        restarts, loop = Restarts(), asyncio.get_running_loop()
        while True:
            ready_at, sessions = None, 0
            try:
                worker = await self._begin(number)
            except OSError as error:
                why = f"Worker {number} cannot be started: {error.strerror or error}."
            else:
                why = await self._watch(worker)
                ready_at, sessions = worker.ready_at, worker.load.sessions
            if self._stopping:
                if ready_at is not None and not self._closed:
                    logger.error("%s Its sessions are lost (%d).", why, sessions)
                return
            if not self._ready[number].is_set():
                raise WorkerFailed(why)
            self._deaths += 1
            pause = restarts.after(0.0 if ready_at is None else loop.time() - ready_at)
            logger.error(
                "%s Its sessions are lost (%d); it is started again in %g s.", why, sessions, pause
            )
            await asyncio.sleep(pause)

    async def _begin(self, number: int) -> Worker:
        return await Worker.start(
            number,
            self._command,
            self._take,
            settings=settings_of(self._settings, number).model_dump(mode="json"),
            processors=self._processors[number - 1],
            url=self._url,
            server=self._server,
            makes_key=number == 1 and not self._ready[number].is_set(),
        )

    async def _watch(self, worker: Worker) -> str:
        """Until it has ended; gives why, in one sentence."""
        self._workers[worker.number] = worker
        looking = asyncio.create_task(self._kill_if_it_hangs(worker))
        try:
            if self._stopping:
                worker.kill()
            how = await worker.ended()
        finally:
            looking.cancel()
            del self._workers[worker.number]
        return worker.failure or f"Worker {worker.number}, process {worker.id}, ended {how}."

    async def _kill_if_it_hangs(self, worker: Worker) -> None:
        """One that has connections tells every second how it is."""
        unheard = 0
        # Looks are counted, and not seconds: had this process stood still, all would seem to hang.
        while unheard < LOOKS:
            told_at = worker.load.told_at
            await asyncio.sleep(LOOK_SECONDS)
            is_silent = worker.takes_connections and worker.load.told_at == told_at
            unheard = unheard + 1 if is_silent else 0
        worker.failure = (
            f"Worker {worker.number}, process {worker.id}, hangs: it told nothing for "
            f"{LOOKS * LOOK_SECONDS:g} s and is killed."
        )
        worker.kill()

    # Connections.

    def _accept(self) -> None:
        self._retry = None
        for each in self._arrivals:
            each.start(self._welcome)

    def _welcome(self, connection: socket.socket, _: str) -> None:
        # In the next turn of the loop, when all is counted that workers had said before it came.
        asyncio.get_running_loop().call_soon(self._place, connection)

    def _place(self, connection: socket.socket) -> None:
        if self._closed:
            connection.close()
        elif not self._hand(connection):
            self._waiting.append(connection)
            for each in self._arrivals:
                each.pause()
            if self._retry is None:
                self._try_again_later()

    def _hand(self, connection: socket.socket) -> bool:
        loads = [
            (number, worker.load)
            for number, worker in self._workers.items()
            if worker.takes_connections
        ]
        order = by_room(loads, asyncio.get_running_loop().time())
        return any(self._workers[number].hand(connection) for number in order)

    def _try_again_later(self) -> None:
        self._retry = asyncio.get_running_loop().call_later(RETRY_SECONDS, self._try_again)

    def _try_again(self) -> None:
        self._waiting = [each for each in self._waiting if not self._hand(each)]
        if self._waiting:
            self._try_again_later()
        else:
            self._accept()

    # What workers say.

    def _take(self, worker: Worker, message: Message) -> None:
        match message["kind"]:
            case "ready":
                self._ready[worker.number].set()
                logger.info("worker %d, process %d, is ready", worker.number, worker.id)
            case "drain":
                self._drain_asked()
            case "ask":
                self._pass_on(worker, message)
            case "answer":
                if (asker := self._workers.get(message["to"])) is not None:
                    asker.tell("answered", id=message["id"], by=worker.number, text=message["text"])

    def _pass_on(self, asker: Worker, message: Message) -> None:
        """Ask the others for one of them."""
        others = [
            worker
            for worker in self._workers.values()
            if worker is not asker and worker.takes_connections
        ]
        asker.tell(
            "expect",
            id=message["id"],
            of=[worker.number for worker in others],
            workers=self._settings.workers,
            deaths=self._deaths,
        )
        for worker in others:
            worker.tell(
                "asked",
                id=message["id"],
                by=asker.number,
                question=message["question"],
                details=message["details"],
            )

    def read_certificate(self) -> None:
        """Have all read their certificate and its key again."""
        for worker in self._workers.values():
            worker.tell("read_certificate")

    # The end.

    async def drain(self, hurry: asyncio.Event) -> None:
        """Have all take no new sessions; returns when no session is open, or none may be."""
        self._stop()
        draining = [worker.drained for worker in self._workers.values()]
        if not draining:
            return
        drained = asyncio.create_task(asyncio.wait(draining))
        hurried = asyncio.create_task(hurry.wait())
        try:
            await asyncio.wait(
                (drained, hurried),
                timeout=self._settings.drain_seconds + DRAIN_GRACE_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if hurried.done():
                for worker in self._workers.values():
                    worker.tell("hurry")
                await asyncio.wait((drained,), timeout=DRAIN_GRACE_SECONDS)
        finally:
            for task in (drained, hurried):
                task.cancel()

    def _stop(self) -> None:
        self._stopping = True
        for worker in self._workers.values():
            if worker.phase is WorkerPhase.LOADING:
                worker.kill()
            else:
                worker.tell("drain")

    async def close(self) -> None:
        """End all workers, whatever they do."""
        self._stop()
        self._closed = True
        if self._retry is not None:
            self._retry.cancel()
        for each in self._arrivals:
            each.stop()
        for waiting in self._waiting:
            waiting.close()
        for worker in self._workers.values():
            worker.tell("hurry")
            worker.tell("end")
        for number, keeping in self._keeping.items():
            if number not in self._workers:
                # It waits to start one.
                keeping.cancel()
        if not self._keeping:
            return
        _, left = await asyncio.wait(self._keeping.values(), timeout=STOP_SECONDS)
        for worker in self._workers.values():
            logger.error("worker %d does not end, and is killed", worker.number)
            worker.kill()
        if left:
            await asyncio.wait(left)
