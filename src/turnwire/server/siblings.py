"""The other processes of a server that has several: what they are asked, and what they are told.

Whatever a server says of itself as a whole is asked of each of its processes, and put together by
the one that a client happened to reach.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

Answer = Callable[[str], Awaitable[str]]
"""Answers a question; it is given its details."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered in time."""

    texts: Mapping[int, str] = field(default_factory=dict)
    """By the number of the process."""
    workers: int = 1
    """How many processes there should be."""
    deaths: int = 0
    """How many have died since the server started."""


class Siblings(Protocol):
    @property
    def server(self) -> str:
        """A random name that all of them share, and no other server has."""

    @property
    def number(self) -> int | None:
        """This process among them, from 1 on; None where it is alone."""

    def answer(self, question: str, answer: Answer) -> None:
        """How this process answers the question from now on."""

    async def ask(self, question: str, details: str = "") -> Answers:
        """What the others answer, within a second or so."""

    def drain(self) -> None:
        """Have all take no new sessions, and end with their open ones."""

    def note_connections(self, count: int) -> None:
        """So many connections are open now."""

    def note_sessions(self) -> None:
        """There is one session more, or one less."""


class Alone:
    """For a server that is one process."""

    number = None

    def __init__(self) -> None:
        self.server = secrets.token_hex(4)

    def answer(self, question: str, answer: Answer) -> None:
        pass

    async def ask(self, question: str, details: str = "") -> Answers:
        return Answers()

    def drain(self) -> None:
        pass

    def note_connections(self, count: int) -> None:
        pass

    def note_sessions(self) -> None:
        pass


def total(limits: Iterable[int | None]) -> int | None:
    """How many there may be of all; None if there is a part of which there may be any number."""
    known = list(limits)
    return None if None in known else sum(limit for limit in known if limit is not None)
