"""A server's parts, put together as its settings say."""

import asyncio
from collections.abc import Sequence

from turnwire.accounts.admission import OpenRegistry, Registry
from turnwire.accounts.database import sqlite_url
from turnwire.accounts.store import Store
from turnwire.clock import LoopClock
from turnwire.server.capacity import Capacity
from turnwire.server.extensions import Extend
from turnwire.server.options import ServerOptions
from turnwire.server.service import Service
from turnwire.server.settings import Settings
from turnwire.server.siblings import Alone, Siblings
from turnwire.speech.engine import Engine
from turnwire.transport.networks import Networks
from turnwire.wire.closures import TOO_MANY_SESSIONS


def _origins(settings: Settings) -> frozenset[str]:
    listed = (settings.allow_origin or "").split(",")
    return frozenset(origin.strip().rstrip("/").lower() for origin in listed if origin.strip())


async def open_service(
    settings: Settings,
    engine: Engine,
    extend: Sequence[Extend] = (),
    drain_asked: asyncio.Event | None = None,
    siblings: Siblings | None = None,
) -> Service:
    """The service that the settings describe.

    Raises `turnwire.accounts.errors.AccountsError` if the database cannot be used.
    """
    registry: Registry
    if settings.no_auth:
        registry = OpenRegistry()
    else:
        store = await Store.open(
            settings.database or sqlite_url(settings.data_folder()),
            node=settings.node,
            reusable_tokens=settings.reusable_tokens,
        )
        if settings.reclaim:
            await store.reclaim()
        registry = store
    clock = LoopClock()
    options = ServerOptions(
        max_sessions=settings.max_sessions,
        outage_seconds=settings.outage_seconds,
        ahead_seconds=settings.ahead_seconds,
        codes={TOO_MANY_SESSIONS.name: settings.too_many_sessions_code},
        keys_in_query=settings.keys_in_query,
        proxies=Networks.parse(settings.trusted_proxies),
        # Whoever has a key or a token may use it from any page.
        origins=_origins(settings) if settings.no_auth else None,
    )
    capacity = Capacity(engine, clock)
    return Service(
        engine,
        registry,
        clock,
        options,
        capacity,
        extend=extend,
        siblings=siblings or Alone(),
        drain_asked=drain_asked or asyncio.Event(),
    )
