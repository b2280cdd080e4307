"""Between a real session and its client: what is rehearsed decides what passes."""

import asyncio
import json
from collections import deque
from collections.abc import MutableMapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from turnwire.server.clock import Clock, Timer
from turnwire.server.rehearsal.socket import EXTENSION, ReachableSocket
from turnwire.wire.closures import CLIENT_GONE, Closure
from turnwire.wire.messages import Begin, Message

AsgiMessage = MutableMapping[str, Any]

BACKLOG = 64
"""How many messages of the session may wait here for a client that does not read."""

_GONE = {"type": "websocket.disconnect", "code": CLIENT_GONE.code}


class SessionOver(Exception):
    """The session ended by itself before what was to be rehearsed."""


class Unit(StrEnum):
    """What a cue is counted in."""

    SECONDS = "s"
    """Since Begin."""
    TURNS = "turns"
    """That ended; the two messages that may end one count once."""
    FRAMES = "frames"
    """Binary ones, from the client."""


@dataclass(frozen=True, slots=True)
class Cue:
    """When it is time."""

    count: float
    unit: Unit


AT_BEGIN = Cue(0, Unit.SECONDS)

INSTEAD_OF_BEGIN = None
"""The cue of what comes before the session begins, so that it never does."""


class Stage:
    """One rehearsed connection.

    The session talks to `hear` and `speak` as if they were its socket's. The rest is for a fate.
    Sending raises OSError once the client is gone.
    """

    def __init__(
        self,
        app: ASGIApp,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        cue: Cue | None,
        clock: Clock,
    ) -> None:
        self.clock = clock
        self.socket: ReachableSocket = scope["extensions"][EXTENSION]
        self._app = app
        self._scope = scope
        self._receive = receive
        self._send = send
        self._cue = cue
        self._cued = False
        self.begun = False
        """Whether the client has had Begin."""
        self._timer: Timer | None = None
        self._frames = 0
        self._turns: set[int] = set()
        self._session: asyncio.Task[None] | None = None
        self._said: deque[AsgiMessage] = deque()
        self._news = asyncio.Event()  # the session said something or is over, or it is time
        self._room = asyncio.Event()
        self._room.set()
        self._dismissed = False
        self._order: AsgiMessage | None = None
        self._ordered = asyncio.Event()

    # The session's side.

    async def hear(self) -> AsgiMessage:
        """What the client sends, or else what the session is to believe that it sent."""
        heard = asyncio.ensure_future(self._receive())
        ordered = asyncio.ensure_future(self._ordered.wait())
        try:
            await asyncio.wait({heard, ordered}, return_when=asyncio.FIRST_COMPLETED)
            if not heard.done() and self._order is not None:
                self._ordered.clear()
                return self._order
            message = await heard
        finally:
            heard.cancel()
            ordered.cancel()
        if message.get("bytes") is not None:
            self._frames += 1
            self._judge(Unit.FRAMES, self._frames)
        return message

    async def speak(self, message: AsgiMessage) -> None:
        """Take what the session sends."""
        if self._dismissed:
            return
        self._said.append(message)
        self._news.set()
        if len(self._said) >= BACKLOG:
            self._room.clear()
            await self._room.wait()

    # The fate's side.

    async def play_to_cue(self) -> None:
        """Pass on what the session says until it is time."""
        if self._cue is INSTEAD_OF_BEGIN:
            self._said.appendleft(await self.play_to(Begin))
            return
        while (message := await self._next(heed_cue=True)) is not None:
            await self.pass_on(message)

    async def play_to(self, kind: type[Message]) -> AsgiMessage:
        """Pass on what the session says before its next message of this kind; gives that one."""
        while True:
            message = await self._next()
            assert message is not None
            if _content(message).get("type") == kind.model_fields["type"].default:
                return message
            await self.pass_on(message)

    async def play_on(self) -> None:
        """Pass on all that the session says to its end."""
        while True:
            message = await self._next()
            assert message is not None
            await self.pass_on(message)

    async def pass_on(self, message: AsgiMessage) -> None:
        """Pass on what was held back."""
        await self._send(message)
        content = _content(message)
        if content.get("type") == Begin.model_fields["type"].default:
            self._begin()
        elif content.get("end_of_turn"):
            self._turns.add(content["turn_order"])
            self._judge(Unit.TURNS, len(self._turns))

    async def say(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})

    async def close(self, closure: Closure) -> None:
        await self._send(
            {"type": "websocket.close", "code": closure.code, "reason": closure.reason}
        )

    def order(self, message: Message) -> None:
        """Have the session believe that its client sent this."""
        self._give({"type": "websocket.receive", "text": message.to_json()})

    async def dismiss(self) -> None:
        """Have the session end, if it has not, as if its client were gone; wait until it has."""
        if self._timer is not None:
            self._timer.cancel()
        if self._session is None:
            return
        self._dismissed = True
        self._said.clear()
        self._room.set()
        self._give(_GONE)
        await self._session

    async def _run(self) -> None:
        await self._app(self._scope, self.hear, self.speak)

    def _give(self, message: AsgiMessage) -> None:
        self._order = message
        self._ordered.set()

    async def _next(self, *, heed_cue: bool = False) -> AsgiMessage | None:
        """What the session says next; None if it is time instead."""
        if self._session is None:
            self._session = asyncio.create_task(self._run())
            self._session.add_done_callback(lambda _: self._news.set())
        while True:
            if heed_cue and self._cued and not self._ends_a_turn_again():
                return None
            if self._said:
                break
            if self._session.done():
                raise SessionOver
            self._news.clear()
            await self._news.wait()
        self._room.set()
        return self._said.popleft()

    def _ends_a_turn_again(self) -> bool:
        """Whether what comes next is the second of two messages that end a turn.

        A session says them in one go, and a cue does not come between them.
        """
        content = _content(self._said[0]) if self._said else {}
        return bool(content.get("end_of_turn")) and content["turn_order"] in self._turns

    def _begin(self) -> None:
        self.begun = True
        if self._cue == AT_BEGIN:
            self._call()
        elif self._cue is not None and self._cue.unit is Unit.SECONDS:
            self._timer = self.clock.call_at(self.clock.now() + self._cue.count, self._call)

    def _judge(self, unit: Unit, count: int) -> None:
        if self._cue is not None and self._cue.unit is unit and count >= self._cue.count:
            self._call()

    def _call(self) -> None:
        self._cued = True
        self._news.set()


def _content(message: AsgiMessage) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(message["text"]) if message.get("text") else {}
    return content
