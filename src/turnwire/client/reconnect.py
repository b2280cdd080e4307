"""When a client connects again by itself, and when no more."""

from collections.abc import Callable
from dataclasses import dataclass

from turnwire.client.closures import Closure
from turnwire.wire.closures import SESSION_ENDED, TRANSMISSION_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnect:
    """The policy: which closures are tried again is the closure table's to say, not this one's.

    The n-th attempt in a row comes after `first_delay` * 2^n seconds, at most `longest_delay`,
    and not before the closure's own `retry_after`; a random half is added to either, so that not
    all clients of a server that was lost come back at once.
    """

    attempts: int = 8
    """How often in a row. A session that lasted `stable_seconds` starts the count anew."""
    first_delay: float = 0.25
    """Seconds."""
    longest_delay: float = 30.0
    """Seconds."""
    stable_seconds: float = 60.0


DEFAULT = Reconnect()


class Budget:
    """How much is left of one client's attempts; `random` gives numbers from 0 to 1."""

    def __init__(self, policy: Reconnect | None, random: Callable[[], float]) -> None:
        self._policy = policy
        self._random = random
        self._used = 0

    def delay(self, retry_after: float | None) -> float | None:
        """Seconds to wait before the next attempt, which this is; None: there is none.

        `retry_after` is what the closure before it asks for.
        """
        policy = self._policy
        if policy is None or retry_after is None or self._used >= policy.attempts:
            return None
        backoff = min(policy.first_delay * 2.0**self._used, policy.longest_delay)
        self._used += 1
        return max(backoff, retry_after) * (1 + self._random() / 2)

    @property
    def is_first(self) -> bool:
        """Whether the last attempt was the first in a row."""
        return self._used == 1

    def lasted(self, seconds: float) -> None:
        """Take note that a session lasted so long."""
        if self._policy is not None and seconds >= self._policy.stable_seconds:
            self._used = 0


@dataclass(frozen=True, slots=True)
class Retry:
    """A session that is to take the place of one that ended too early."""

    at: float
    """When it is to be opened."""
    end: int | None
    """Where its part of the stream ends, if that is known."""
    is_second_hearing: bool
    """Whether nobody knows if the session before it heard that part."""


class Retries:
    """What becomes of a stream whose session ended too early."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.strict = False
        """Whether the server was found to accept nothing faster than real time."""
        self.pending: Retry | None = None

    def delay(self, closure: Closure) -> float | None:
        """Seconds to wait before the next attempt, which this is; None: there is none."""
        retry_after = closure.retry_after
        if closure.row is SESSION_ENDED:
            retry_after = 0.0  # The server ended it by itself, and in good order.
        elif closure.row is TRANSMISSION_RATE and not self.strict:
            retry_after, self.strict = 0.0, True
        return self.budget.delay(retry_after)

    def due(self, now: float) -> Retry | None:
        """The attempt whose time has come, once."""
        if self.pending is None or now < self.pending.at:
            return None
        due, self.pending = self.pending, None
        return due
