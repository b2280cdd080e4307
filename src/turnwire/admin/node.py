"""This server among those that share its accounts: what it says of itself, and of the others."""

import logging
from collections.abc import Collection

from turnwire import __version__
from turnwire.accounts.admission import RENEWAL_SECONDS
from turnwire.accounts.errors import AccountsError
from turnwire.accounts.presence import Presence
from turnwire.accounts.store import Store
from turnwire.admin import views
from turnwire.clock import pause
from turnwire.server.figures import figures_of
from turnwire.server.service import Service

logger = logging.getLogger(__name__)


class Node:
    def __init__(self, service: Service, store: Store) -> None:
        self._service = service
        self._store = store
        self._presence = Presence(store.database)

    @property
    def process(self) -> str:
        """Its id, which no other process ever has."""
        return self._store.process

    async def nodes(self, here: Collection[str]) -> views.Nodes:
        """Those that said something within the last hour; `here` are the processes of this one."""
        return views.Nodes(
            items=[
                views.Node(
                    process=node.process,
                    name=node.name,
                    version=node.version,
                    sessions=node.sessions,
                    max_sessions=node.max_sessions,
                    quality=node.quality,
                    seen_at=node.seen_at,
                    draining=node.draining,
                    here=node.process in here,
                )
                for node in await self._presence.nodes()
            ]
        )

    async def keep_known(self) -> None:
        """Write down every few seconds how this server is, for the others. Never ends."""
        while True:
            try:
                await self._say()
            except AccountsError as error:
                # The leases log that the database cannot be reached.
                logger.debug("this server could not say how it is", exc_info=error)
            await pause(self._service.clock, RENEWAL_SECONDS)

    async def leave(self) -> None:
        await self._presence.leave(self._store.process)

    async def _say(self) -> None:
        figures = figures_of(self._service)
        await self._presence.note(
            self._store.process,
            name=self._store.node,
            version=__version__,
            sessions=figures.sessions,
            max_sessions=figures.max_sessions,
            quality=figures.quality,
            draining=figures.draining,
        )
