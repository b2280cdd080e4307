"""A worker's side of what it and its supervisor tell each other. For its server, its siblings."""

import asyncio
import itertools
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from turnwire.server.service import Service
from turnwire.server.siblings import Answer, Answers
from turnwire.workers.channel import Channel, Message
from turnwire.workers.handing import Handed

ANSWER_SECONDS = 1.0
"""How long the others have to answer a question."""

REPORT_SECONDS = 1.0
"""How often the supervisor is told how the worker is, whatever happens,"""
SOON_SECONDS = 0.02
"""and how soon after something has changed."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Question:
    """One that this worker asks."""

    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """By all who were asked."""
    missing: set[int] | None = None
    """Who was asked and has not answered; None as long as that is not known."""
    texts: dict[int, str] = field(default_factory=dict)
    workers: int = 1
    deaths: int = 0


class Link:
    """`drain`, `hurry` and `end` are what the supervisor orders."""

    def __init__(self, server: str, number: int, handed: Handed) -> None:
        self.server = server
        self.number = number
        self.drain_asked = asyncio.Event()
        self.hurry = asyncio.Event()
        self.end = asyncio.Event()
        self.read_certificate: Callable[[], None] = lambda: None
        self._channel: Channel | None = None
        self._handed = handed
        self._service: Service | None = None
        self._open = 0
        self._telling: asyncio.TimerHandle | None = None
        self._answers: dict[str, Answer] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._asked: dict[int, _Question] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[Answers]] = {}
        self._ids = itertools.count()

    # What the supervisor says.

    async def obey(self, talking: socket.socket) -> None:
        """Do from now on what the supervisor says, until it is gone; then end as if it had said
        so."""
        self._channel = await Channel.over(talking, self._obey)
        self._channel.gone.add_done_callback(lambda _: self._be_left())

    def _be_left(self) -> None:
        # The port is gone too. Whoever starts the server again may wait until the last of us ends.
        self.drain_asked.set()
        self.hurry.set()
        self.end.set()

    def _obey(self, message: Message) -> None:
        match message["kind"]:
            case "drain":
                self.drain_asked.set()
            case "hurry":
                self.hurry.set()
            case "end":
                self.end.set()
            case "read_certificate":
                self.read_certificate()
            case "asked":
                answering = asyncio.create_task(self._answer(message))
                self._answering.add(answering)
                answering.add_done_callback(self._answering.discard)
            case "expect":
                self._expect(message)
            case "answered":
                self._take(message)

    def _tell(self, kind: str, **what: Any) -> None:
        if self._channel is not None:
            self._channel.tell(kind, **what)

    # What the supervisor is told.

    def opening(self) -> None:
        """The engine is there; the accounts are being opened."""
        self._tell("opening")

    def ready(self, service: Service, ca_file: str | None) -> None:
        """`ca_file` is the authority that clients are to trust, if it is one of our own."""
        self._service = service
        self._report()
        self._tell("ready", ca_file=ca_file)

    def drained(self) -> None:
        """No session is open any more, or none may be open any longer."""
        self._tell("drained")

    async def keep_telling(self) -> None:
        """Say every second how this worker is. Never ends."""
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            self._report()

    def _report(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        if self._service is not None:
            self._tell(
                "report",
                sessions=self._service.open_sessions,
                limit=self._service.session_limit,
                open=self._open,
                received=self._handed.received,
            )

    def _report_soon(self) -> None:
        if self._telling is None:
            loop = asyncio.get_running_loop()
            self._telling = loop.call_later(SOON_SECONDS, self._report)

    # What its server tells and asks: `Siblings`.

    def note_connections(self, count: int) -> None:
        self._open = count
        self._report_soon()

    def note_sessions(self) -> None:
        # At once: where a place is free, the next client that comes is to find it.
        self._report()

    def drain(self) -> None:
        self._tell("drain")

    def answer(self, question: str, answer: Answer) -> None:
        self._answers[question] = answer

    async def ask(self, question: str, details: str = "") -> Answers:
        # Anybody may have a server ask, and each question goes to all: those who ask the same
        # meanwhile get what was answered to the first.
        asking = self._asking.get((question, details))
        if asking is None:
            asking = asyncio.create_task(self._ask(question, details))
            self._asking[question, details] = asking
            asking.add_done_callback(lambda _: self._asking.pop((question, details)))
        return await asyncio.shield(asking)

    async def _ask(self, question: str, details: str) -> Answers:
        id, asked = next(self._ids), _Question()
        self._asked[id] = asked
        self._tell("ask", id=id, question=question, details=details)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await asked.answered.wait()
        finally:
            del self._asked[id]
        return Answers(asked.texts, asked.workers, asked.deaths)

    def _expect(self, message: Message) -> None:
        if (asked := self._asked.get(message["id"])) is not None:
            asked.missing = set(message["of"])
            asked.workers, asked.deaths = message["workers"], message["deaths"]
            if not asked.missing:
                asked.answered.set()

    def _take(self, message: Message) -> None:
        asked = self._asked.get(message["id"])
        if asked is not None and asked.missing is not None:
            asked.texts[message["by"]] = message["text"]
            asked.missing.discard(message["by"])
            if not asked.missing:
                asked.answered.set()

    async def _answer(self, message: Message) -> None:
        try:
            text = await self._answers[message["question"]](message["details"])
        except Exception:
            logger.exception("what another worker asked could not be answered")
            return
        self._tell("answer", id=message["id"], to=message["by"], text=text)

    async def close(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
        tasks = [*self._answering, *self._asking.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._service = None
        if self._channel is not None:
            self._channel.close()
