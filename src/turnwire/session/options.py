"""What a server decides for all of its sessions."""

from collections.abc import Callable
from dataclasses import dataclass

AHEAD_SECONDS = 300.0
"""How far audio may be ahead of time, unless the server says otherwise."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    mask_profanity: Callable[[str], str]
    """Gives a text with its profane words masked."""
    ahead_seconds: float = AHEAD_SECONDS
    """How far audio may be ahead of time."""
