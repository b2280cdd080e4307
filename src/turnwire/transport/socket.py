"""What a WebSocket and who serves it ask of each other."""

from collections.abc import Callable
from typing import Protocol

from turnwire.transport.request import Request
from turnwire.wire.closure import Closure


class Receiver(Protocol):
    """What serves a WebSocket. None of its methods may wait, and none may fail."""

    def received(self, message: str | bytes) -> None:
        """A message came."""

    def refused(self, closure: Closure) -> None:
        """The client broke a rule of the transport; nothing more comes from it."""

    def gone(self) -> None:
        """The client is gone, or has sent its close frame: nothing more comes or can be sent."""

    def writable_again(self) -> None:
        """The client reads again."""


class Socket(Protocol):
    """A WebSocket as its receiver sees it."""

    @property
    def request(self) -> Request: ...

    @property
    def writable(self) -> bool:
        """Whether what is sent now goes out soon; the client may not be reading."""

    def send(self, message: str | bytes) -> None:
        """Send a message; does nothing once the client is gone."""

    def hold(self) -> None:
        """Have messages wait."""

    def release(self) -> None:
        """Have messages come again, from the next turn of the loop on."""

    def finish(self) -> None:
        """Say that the end is decided: no message comes any more."""

    def close(self, code: int, reason: str) -> None:
        """Send the close frame. Nothing can be sent after it."""

    def abort(self) -> None:
        """Drop the connection without a close frame."""


Opening = Callable[[Socket], Receiver]
"""Makes what serves a WebSocket that has just been opened."""
