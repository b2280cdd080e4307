"""Calling what a program has set to be called."""

import inspect
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from turnwire.client.closures import Closure
from turnwire.client.errors import HandlerFailed, SessionClosed
from turnwire.client.messages import Begin, ServerMessage, SpeechStarted, Termination, Turn

T = TypeVar("T")

Handler = Callable[[T], Awaitable[object] | object]
"""A function or a coroutine function; what it returns does not matter."""

GapHandler = Callable[[int, int, str], Awaitable[object] | object]
"""Called with the start and the end of a gap, in ms, and the reason."""

_CALL: ContextVar[object | None] = ContextVar("the call of a handler", default=None)

_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Handlers:
    """The handlers of one client. One that fails is logged and kept in `failure`; it harms none."""

    begin: Handler[Begin] | None = None
    turn: Handler[Turn] | None = None
    speech_started: Handler[SpeechStarted] | None = None
    termination: Handler[Termination] | None = None
    error: Handler[SessionClosed] | None = None
    close: Handler[Closure] | None = None
    gap: GapHandler | None = None
    event: Handler[ServerMessage] | None = None

    failure: HandlerFailed | None = field(default=None, init=False)
    """The first."""
    _call: object | None = field(default=None, init=False)

    async def call(self, name: str, *arguments: Any) -> None:
        """Call the handler of this name, if there is one, and wait until it is done."""
        handler = getattr(self, name)
        if handler is None:
            return
        self._call = call = object()
        before = _CALL.set(call)
        try:
            await called(handler, *arguments)
        except Exception as error:
            _log.exception("on_%s failed; the session goes on", name)
            if self.failure is None:
                self.failure = HandlerFailed(f"on_{name} failed: {error!r}")
                self.failure.__cause__ = error
        finally:
            _CALL.reset(before)
            self._call = None

    @property
    def calling(self) -> bool:
        """Whether a handler asks this, or what it started and may be waiting for."""
        return self._call is not None and _CALL.get() is self._call


async def called(handler: Callable[..., object], *arguments: object) -> None:
    """Call a function, and wait for what it returns if that can be waited for."""
    outcome = handler(*arguments)
    if inspect.isawaitable(outcome):
        await outcome
