"""Which browsers are signed in at the console, and by which admin key."""

import json
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from turnwire.clock import Clock
from turnwire.server.siblings import Siblings

LIFETIME_SECONDS = 12 * 60 * 60.0

MOST_BROWSERS = 1000
"""That are signed in at a time. One more takes the place of the one that came first."""

KNOWN, FORGET = "cookie known", "cookie forgotten"
"""What processes of one server ask and tell each other: a browser may reach any of them."""

UNKNOWN = (None, 0.0)


class Unanswered(Exception):
    """A process that may know the cookie has not answered in time."""


class Cookies:
    """Random names for admin keys, in memory: a server that starts anew knows none."""

    def __init__(self, clock: Clock, siblings: Siblings) -> None:
        self._clock = clock
        self._siblings = siblings
        # A browser sends its cookies to all servers of a host, whatever their ports; behind a
        # proxy even those have one. So each server has a name of its own, which lasts as long as
        # what it knows.
        self.name = f"turnwire_console_{siblings.server}"
        self._keys: dict[str, tuple[int, float]] = {}
        """The id of each one's admin key, and until when it counts; the oldest first."""
        self._asking: Counter[str] = Counter()
        """How often the others are being asked for one,"""
        self._forgotten: set[str] = set()
        """and which of these were forgotten meanwhile: an answer that knows one is out of date."""
        siblings.answer(KNOWN, self._tell)
        siblings.answer(FORGET, self._forget)

    def issue(self, key: int) -> str:
        """A cookie that stands for this admin key."""
        cookie = secrets.token_urlsafe(32)
        self._keep(cookie, key, LIFETIME_SECONDS)
        return cookie

    async def key_of(self, cookie: str) -> int | None:
        """The admin key that it stands for; None if it is unknown or has expired.

        Raises `Unanswered`.
        """
        key, _ = self._known(cookie)
        if key is not None:
            return key
        with self._being_asked_for(cookie):
            answers = await self._siblings.ask(KNOWN, cookie)
            if cookie in self._forgotten:
                return None
            for text in answers.texts.values():
                key, left = json.loads(text)
                if key is not None:
                    self._keep(cookie, key, left)
                    return int(key)
        if len(answers.texts) < answers.workers - 1:
            raise Unanswered
        return None

    @contextmanager
    def _being_asked_for(self, cookie: str) -> Iterator[None]:
        self._asking[cookie] += 1
        try:
            yield
        finally:
            self._asking[cookie] -= 1
            if not self._asking[cookie]:
                del self._asking[cookie]
                self._forgotten.discard(cookie)

    async def forget(self, cookie: str) -> None:
        self._drop(cookie)
        await self._siblings.ask(FORGET, cookie)

    def _keep(self, cookie: str, key: int, seconds: float) -> None:
        if len(self._keys) >= MOST_BROWSERS:
            del self._keys[next(iter(self._keys))]
        self._keys[cookie] = (key, self._clock.now() + seconds)

    def _known(self, cookie: str) -> tuple[int | None, float]:
        """Its key, and for how many seconds it still counts."""
        key, until = self._keys.get(cookie, UNKNOWN)
        left = until - self._clock.now()
        if left <= 0:
            self._keys.pop(cookie, None)
            return UNKNOWN
        return key, left

    async def _tell(self, cookie: str) -> str:
        return json.dumps(self._known(cookie))

    async def _forget(self, cookie: str) -> str:
        self._drop(cookie)
        return ""

    def _drop(self, cookie: str) -> None:
        self._keys.pop(cookie, None)
        if cookie in self._asking:
            self._forgotten.add(cookie)
