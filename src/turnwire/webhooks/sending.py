"""Webhooks as a part of a server: keeps what sessions leave to post, and posts what is due."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

from turnwire.accounts.errors import NotFound
from turnwire.accounts.store import Store
from turnwire.clock import pause
from turnwire.server.extensions import Extend, Extension
from turnwire.server.observers import Observer, WatchedSession
from turnwire.server.outage import Outage
from turnwire.server.service import Service
from turnwire.webhooks.collecting import Collector
from turnwire.webhooks.deliveries import ATTEMPTS, Attempt, Deliveries, Parcel, PostResult
from turnwire.webhooks.posting import (
    NoAnswer,
    NotAllowed,
    Poster,
    Resolve,
    is_private_host,
    resolve,
)
from turnwire.webhooks.signing import signed_headers
from turnwire.wire.closure import Violation
from turnwire.wire.closures import INVALID_PARAMETER
from turnwire.wire.parameters import ConnectionParameters

AT_ONCE = 16
"""How many deliveries one server posts at once,"""

AT_ONCE_OF_ACCOUNT = 4
"""and how many of one account, so that receivers that hang hold up nobody else's."""

LOOK_SECONDS = 5.0
"""How often a server looks for what has become due."""

PRUNE_SECONDS = 60 * 60.0

UNKEPT = 1000
"""How many deliveries wait for a database that cannot be reached."""

KEEP_SECONDS = 3.0
"""How long a server that stops tries to keep what its last sessions left."""

logger = logging.getLogger(__name__)


class Webhooks(Extension):
    parameters = ("webhook_url", "webhook_auth_header_name", "webhook_auth_header_value")

    def __init__(self, service: Service, deliveries: Deliveries, poster: Poster) -> None:
        self._clock = service.clock
        self._deliveries = deliveries
        self._poster = poster
        self._unkept: list[Parcel] = []
        self._posting: dict[asyncio.Task[None], int] = {}
        """And the account that each is for."""
        self._outage = Outage(service.clock)
        self._woken = asyncio.Event()

    def check(self, parameters: ConnectionParameters) -> None:
        url = parameters.webhook_url
        if url is None or self._poster.allow_private:
            return
        if is_private_host(host := urlsplit(url).hostname or ""):
            detail = f"Value error, this server calls no webhooks in its own network, as at {host}"
            raise Violation(INVALID_PARAMETER.fill(name="webhook_url", detail=detail))

    def watch(self, session: WatchedSession) -> Observer | None:
        wanted = any(name.startswith("webhook_url") for name, _ in session.request.query)
        return Collector(session, self._left) if wanted else None

    async def run(self) -> None:
        pruning = asyncio.create_task(self._prune())
        try:
            while True:
                self._woken.clear()
                timer = self._clock.call_at(self._clock.now() + LOOK_SECONDS, self._woken.set)
                await self._look()
                await self._woken.wait()
                timer.cancel()
        finally:
            tasks = [pruning, *self._posting]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def aclose(self) -> None:
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                await self._keep()
        finally:
            if self._unkept:
                logger.error("%d webhooks are lost: they could not be kept", len(self._unkept))

    def _left(self, parcel: Parcel) -> None:
        if len(self._unkept) < UNKEPT:
            self._unkept.append(parcel)
        else:
            logger.error("session %s: its webhook is lost, too many wait", parcel.session_id)
        self._woken.set()

    async def _look(self) -> None:
        """Keep what was left, and begin to post what is due."""
        try:
            await self._keep()
            while len(self._posting) < AT_ONCE and (attempt := await self._take()) is not None:
                task = asyncio.create_task(self._attempt(attempt))
                self._posting[task] = attempt.account_id
                task.add_done_callback(self._posted)
        except Exception as error:
            self._outage.failed("Webhooks could not be looked after", error)
        else:
            self._outage.worked()

    async def _keep(self) -> None:
        while self._unkept:
            parcel = self._unkept[0]
            try:
                await self._deliveries.keep(parcel)
            except NotFound as error:
                logger.error("session %s: its webhook is lost: %s", parcel.session_id, error)
            self._unkept.pop(0)

    async def _take(self) -> Attempt | None:
        of = Counter(self._posting.values())
        not_of = [account for account, count in of.items() if count >= AT_ONCE_OF_ACCOUNT]
        return await self._deliveries.take(not_of=not_of)

    def _posted(self, task: asyncio.Task[None]) -> None:
        del self._posting[task]
        self._woken.set()

    async def _attempt(self, attempt: Attempt) -> None:
        """One attempt; if the database fails over it, there is another one later."""
        try:
            outcome = await _post(self._poster, attempt)
            again = await self._deliveries.note(attempt, outcome)
        except Exception as error:
            self._outage.failed("A webhook could not be looked after", error)
        else:
            _log(attempt, outcome, again)

    async def _prune(self) -> None:
        while True:
            try:
                await self._deliveries.prune()
            except Exception as error:
                self._outage.failed("Old webhooks could not be forgotten", error)
            await pause(self._clock, PRUNE_SECONDS)


async def _post(poster: Poster, attempt: Attempt) -> PostResult:
    body = attempt.body.encode()
    own = signed_headers(attempt.secret, attempt.id, body, timestamp=int(attempt.at))
    given = () if attempt.header is None else (attempt.header,)
    try:
        status = await poster.post(attempt.url, {**dict(given), **own}, body)
    except NotAllowed as error:
        return PostResult(None, str(error))
    except NoAnswer as error:
        return PostResult(None, str(error), again=True)
    if 200 <= status < 300:
        return PostResult(status, None)
    return PostResult(status, f"It answered {status}.", again=not 400 <= status < 500)


def _log(attempt: Attempt, outcome: PostResult, again: bool) -> None:
    """Without the address, which may have a secret in it, and without what was said."""
    what = f"session {attempt.session_id}: webhook {attempt.id}, attempt {attempt.number}"
    if outcome.error is None:
        logger.info("%s: delivered", what)
    elif again:
        logger.warning("%s of %d: %s There will be another.", what, ATTEMPTS, outcome.error)
    else:
        logger.error("%s: %s It is given up.", what, outcome.error)


def webhooks(
    *,
    allow_private: bool = False,
    resolve: Resolve = resolve,
    chance: Callable[[], float] = random.random,
) -> Extend:
    """Webhooks, to public addresses unless private ones are allowed, for a server with accounts."""

    def extend(service: Service) -> Extension:
        if not isinstance(service.registry, Store):
            return Extension()
        poster = Poster(allow_private=allow_private, resolve=resolve)
        return Webhooks(service, Deliveries(service.registry.database, chance), poster)

    return extend
