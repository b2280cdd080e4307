"""What rooms above the server add to it: endpoints, observers of sessions, work alongside."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from turnwire.server.observers import Observer, WatchedSession

if TYPE_CHECKING:
    from turnwire.server.service import Service


class Extension:
    """Adds nothing by itself."""

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
