"""Between a real session and its client: what is rehearsed decides what passes."""

import asyncio
import json
import socket
import struct
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from turnwire.clock import Clock, Timer
from turnwire.server.connection import Connection
from turnwire.transport.request import Request
from turnwire.transport.websocket import WebSocket
from turnwire.wire.closure import Closure
from turnwire.wire.messages import Begin, Message

BACKLOG = 64
"""How many messages of the session may wait here for a client that does not read."""

_LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)


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


@dataclass(frozen=True, slots=True)
class ClosingWords:
    """A close frame that the session has sent."""

    code: int
    reason: str


class Stage:
    """One rehearsed connection: the session's socket, and the receiver of the real one.

    The other methods are for a scenario.
    """

    def __init__(
        self, outer: WebSocket, request: Request, *, cue: Cue | None, clock: Clock
    ) -> None:
        self.clock = clock
        self.request = request
        self._outer = outer
        self._session: Connection | None = None
        self._cue = cue
        self._cued = False
        self.begun = False
        """Whether the client has had Begin."""
        self._timer: Timer | None = None
        self._frames = 0
        self._turns: set[int] = set()
        self._said: deque[str | ClosingWords] = deque()
        self._news = asyncio.Event()  # the session said something or is over, or it is time
        self._over = False
        self._playing: asyncio.Task[None] | None = None

    def begin(self, session: Connection, playing: asyncio.Task[None]) -> None:
        """Begin with this session, while `playing` decides what passes."""
        self._session = session
        self._playing = playing

    # The session's socket.

    @property
    def writable(self) -> bool:
        return self._outer.writable and len(self._said) < BACKLOG

    def send(self, message: str | bytes) -> None:
        assert isinstance(message, str), "sessions send no audio"
        self._say(message)

    def hold(self) -> None:
        self._outer.hold()

    def release(self) -> None:
        self._outer.release()

    def finish(self) -> None:
        """What the client still says is dropped by the session."""

    def close(self, code: int, reason: str) -> None:
        self._say(ClosingWords(code, reason))
        self._over = True

    def abort(self) -> None:
        self._outer.abort()

    def _say(self, words: str | ClosingWords) -> None:
        if not self._over:
            self._said.append(words)
            self._news.set()

    # The receiver of the real socket.

    def received(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._frames += 1
            self._judge(Unit.FRAMES, self._frames)
        if self._session is not None:
            self._session.received(message)

    def refused(self, closure: Closure) -> None:
        if self._session is not None:
            self._session.refused(closure)

    def gone(self) -> None:
        if self._playing is not None:
            self._playing.cancel()

    def writable_again(self) -> None:
        if self._session is not None:
            self._session.writable_again()

    # The scenario's side.

    async def play_to_cue(self) -> None:
        """Pass on what the session says until it is time."""
        if self._cue is INSTEAD_OF_BEGIN:
            self._said.appendleft(await self.play_to(Begin))
            return
        while (words := await self._next(heed_cue=True)) is not None:
            self.pass_on(words)

    async def play_to(self, kind: type[Message]) -> str | ClosingWords:
        """Pass on what the session says before its next message of this kind; gives that one."""
        while True:
            words = await self._next()
            assert words is not None
            if _content(words).get("type") == kind.model_fields["type"].default:
                return words
            self.pass_on(words)

    async def play_on(self) -> None:
        """Pass on all that the session says to its end."""
        while True:
            words = await self._next()
            assert words is not None
            self.pass_on(words)

    def pass_on(self, words: str | ClosingWords) -> None:
        """Pass on what was held back."""
        if isinstance(words, ClosingWords):
            self._outer.close(words.code, words.reason)
            return
        self._outer.send(words)
        content = _content(words)
        if content.get("type") == Begin.model_fields["type"].default:
            self._begin()
        elif content.get("end_of_turn"):
            self._turns.add(content["turn_order"])
            self._judge(Unit.TURNS, len(self._turns))

    def say(self, text: str) -> None:
        """Say something that the session did not."""
        self._outer.send(text)

    def end(self, closure: Closure) -> None:
        """Close the connection."""
        self._outer.close(closure.code, closure.reason)

    def order(self, message: Message) -> None:
        """Have the session believe that its client sent this."""
        if self._session is not None:
            self._session.received(message.to_json())

    async def dismiss(self) -> None:
        """Have the session end, if it has not, as if its client were gone; wait until it has."""
        if self._timer is not None:
            self._timer.cancel()
        self._over = True
        self._said.clear()
        if self._session is not None:
            self._session.gone()
            await self._session.ended()

    def reset(self) -> None:
        """End the TCP connection with RST."""
        connection: socket.socket = self._outer.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
        self._outer.abort()

    def freeze(self) -> None:
        """Read nothing any more, not even a ping or the end, and send no ping either."""
        self._outer.freeze()

    def thaw(self) -> None:
        """Go on where it was frozen."""
        self._outer.thaw()

    async def _next(self, *, heed_cue: bool = False) -> str | ClosingWords | None:
        """What the session says next; None if it is time instead."""
        while True:
            if heed_cue and self._cued and not self._ends_a_turn_again():
                return None
            if self._said:
                break
            if self._over:
                raise SessionOver
            self._news.clear()
            await self._news.wait()
        words = self._said.popleft()
        if self._session is not None and len(self._said) < BACKLOG:
            self._session.writable_again()
        return words

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


def _content(words: str | ClosingWords) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(words) if isinstance(words, str) else {}
    return content
