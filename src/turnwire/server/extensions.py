"""What rooms above the server add to it: endpoints, observers of sessions, work alongside."""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, ClassVar

from starlette.routing import BaseRoute

from turnwire.server.observers import Observer, WatchedSession
from turnwire.wire.parameters import ConnectionParameters

if TYPE_CHECKING:
    from turnwire.server.service import Service


class Extension:
    """Adds nothing by itself."""

    parameters: ClassVar[Collection[str]] = ()
    """What sessions may be asked for because of it, of what is marked `WhereServed`."""

    def check(self, parameters: ConnectionParameters) -> None:
        """Raises `Violation` for what a session cannot be asked for on this server."""

    def routes(self) -> Sequence[BaseRoute]:
        """Endpoints for plain HTTP."""
        return ()

    def watch(self, session: WatchedSession) -> Observer | None:
        """What is to watch this session, for which a client has just opened a WebSocket."""
        return None

    async def run(self) -> None:
        """Work for as long as the server runs; cancelled once all sessions have ended."""

    async def aclose(self) -> None:
        """Finish what the last sessions left, while the registry can still be asked."""


Extend = Callable[["Service"], Extension]
"""Makes the extension of one server."""
