"""What watches sessions: it is told what happened, once that was carried out, and never answers.

An observer that fails is logged and dropped; a session never waits for one.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from turnwire.accounts.admission import Grant, Usage
from turnwire.session import effects, events
from turnwire.transport.request import Request
from turnwire.wire.closure import Closure

logger = logging.getLogger(__name__)


class WatchedSession(Protocol):
    """A session, or a client that asks for one, as far as its observers may know it."""

    @property
    def id(self) -> str: ...

    @property
    def request(self) -> Request:
        """The handshake; its query and headers may have credentials in them."""

    @property
    def grant(self) -> Grant | None:
        """None before the client is admitted."""

    def usage(self) -> Usage: ...

    def drain(self, closure: Closure) -> None:
        """End the session with this closure as soon as what was said is delivered."""


class Observer(Protocol):
    """Watches one session."""

    def observe(self, event: events.Event, effects: Sequence[effects.Effect], now: float) -> None:
        """Take note of an event, and of what the session had done about it.

        It must not block. `now` is the server's clock, in seconds. A `Close` is in the effects
        exactly once, and little comes after it.
        """


class Observers:
    """All that watch one session."""

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = list(observers)

    def observe(self, event: events.Event, effects: Sequence[effects.Effect], now: float) -> None:
        for observer in list(self._observers):
            try:
                observer.observe(event, effects, now)
            except Exception:
                logger.exception("%s failed, and watches no longer", type(observer).__name__)
                self._observers.remove(observer)
