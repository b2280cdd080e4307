"""The admin API and the console as part of a server."""

from collections.abc import Callable, Sequence

from fastapi import APIRouter
from starlette.routing import BaseRoute, Mount

from turnwire.accounts.admin_keys import AdminKeys
from turnwire.accounts.store import Store
from turnwire.admin.access import NO_ACCOUNTS, Access, KeyRequired, LocalOnly, RequestRefused
from turnwire.admin.api import administration, create_api, observation
from turnwire.admin.console import Console, without_accounts
from turnwire.admin.feed import Feed
from turnwire.admin.live import LiveSessions
from turnwire.admin.node import Node
from turnwire.admin.paths import PREFIX
from turnwire.admin.seen import Seen
from turnwire.admin.stored import StoredAdministration
from turnwire.server.extensions import Extend, Extension
from turnwire.server.observers import Observer, WatchedSession
from turnwire.server.service import Service


class Admin(Extension):
    """For a server with accounts."""

    def __init__(
        self,
        service: Service,
        store: Store,
        *,
        from_anywhere: bool = False,
        also: Sequence[Callable[[Store], APIRouter]] = (),
    ) -> None:
        self._from_anywhere = from_anywhere
        self._live = LiveSessions(service.clock)
        self._node = Node(service, store)
        seen = Seen(self._live, self._node, service)
        access = Access(AdminKeys(store.database), service.wrong_keys)
        self.feed = Feed(seen, access, service.clock, service.stopping)
        self.api = create_api(
            [
                administration(StoredAdministration(store.database)),
                observation(service, seen, self.feed),
                *(router(store) for router in also),
            ]
        )
        self._console = Console(
            access, service.clock, service.siblings, from_anywhere=from_anywhere
        )
        self._guarded = KeyRequired(self.api, access, self._console.key_of)

    def routes(self) -> Sequence[BaseRoute]:
        guarded = LocalOnly(self._guarded, from_anywhere=self._from_anywhere)
        return [*self._console.routes(), Mount(PREFIX, guarded)]

    def watch(self, session: WatchedSession) -> Observer:
        return self._live.watch(session)

    async def run(self) -> None:
        await self._node.keep_known()

    async def aclose(self) -> None:
        await self._node.leave()


class WithoutAccounts(Extension):
    """For a server that lets everybody in: there is nothing to look after."""

    def routes(self) -> Sequence[BaseRoute]:
        return [*without_accounts(), Mount(PREFIX, RequestRefused(404, NO_ACCOUNTS).response())]


def admin(
    *, from_anywhere: bool = False, also: Sequence[Callable[[Store], APIRouter]] = ()
) -> Extend:
    """The admin API for clients on the server's machine, or with `from_anywhere` for all.

    `also` are what other rooms add to it.
    """

    def extend(service: Service) -> Extension:
        if isinstance(service.registry, Store):
            return Admin(service, service.registry, from_anywhere=from_anywhere, also=also)
        return WithoutAccounts()

    return extend
