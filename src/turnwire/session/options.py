"""What a server decides for all of its sessions."""

from collections.abc import Callable
from dataclasses import dataclass

from turnwire.wire.parameters import ConnectionParameters
from turnwire.wire.support import check_served

AHEAD_SECONDS = 300.0
"""How far audio may be ahead of time, unless the server says otherwise."""


def _check(parameters: ConnectionParameters) -> None:
    check_served(parameters, ())


@dataclass(frozen=True, slots=True)
class SessionOptions:
    mask_profanity: Callable[[str], str]
    """Gives a text with its profane words masked."""
    ahead_seconds: float = AHEAD_SECONDS
    """How far audio may be ahead of time."""
    check: Callable[[ConnectionParameters], None] = _check
    """Raises `Violation` for what this server does nothing about."""
