"""Which browsers are signed in at the console, and by which admin key."""

import secrets

from turnwire.server.clock import Clock

LIFETIME_SECONDS = 12 * 60 * 60.0

MOST = 1000
"""Browsers at a time. One more takes the place of the one that came first."""


class Cookies:
    """Random names for admin keys, in memory: a server that starts anew knows none."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # A browser sends its cookies to all servers of a host, whatever their ports; behind a
        # proxy even those have one. So each process has a name of its own, which lasts as long as
        # what it knows.
        self.name = f"turnwire_console_{secrets.token_hex(4)}"
        self._keys: dict[str, tuple[int, float]] = {}
        """The id of each one's admin key, and until when it counts; the oldest first."""

    def issue(self, key: int) -> str:
        """A cookie that stands for this admin key."""
        if len(self._keys) >= MOST:
            del self._keys[next(iter(self._keys))]
        cookie = secrets.token_urlsafe(32)
        self._keys[cookie] = (key, self._clock.now() + LIFETIME_SECONDS)
        return cookie

    def key_of(self, cookie: str) -> int | None:
        """The admin key that it stands for; None if it is unknown or has expired."""
        key, until = self._keys.get(cookie, (None, 0.0))
        if until <= self._clock.now():
            self._keys.pop(cookie, None)
            return None
        return key

    def forget(self, cookie: str) -> None:
        self._keys.pop(cookie, None)
