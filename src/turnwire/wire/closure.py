"""What a closure is: one row of the closure table, and the end of one session made of it.

A row is a template; `row.fill(...)` fills it in and gives the `Closure` of one session. The rows
are in `turnwire.wire.closures`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from string import Formatter

from turnwire.wire.limits import REASON_BYTES

NO_CLOSE_FRAME = 1006
"""The code that stands for a connection without a close frame (RFC 6455, 7.1.5)."""

REASON_TOO_LONG = "See Error message for details"

ECHO_CHARACTERS = 300
"""How much of a client's own words an error text repeats at most."""


class Kind(StrEnum):
    """How a closure is announced."""

    NORMAL = "normal"
    """Expected by both sides: no Error frame."""
    KNOWN = "known"
    """An Error frame precedes it, yet it is no failure: a client's `on_close` handles it."""
    ERROR = "error"
    """An Error frame precedes it: a client's `on_error`, then its `on_close`."""
    HTTP = "http"
    """No session at all: the code is an HTTP status, the text stands in a JSON body."""


class Phase(StrEnum):
    """When a closure can happen."""

    OPENING = "opening"
    """Before Begin."""
    SESSION = "session"
    """After Begin."""
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureRow:
    """One row of the table."""

    name: str
    code: int
    """The close code; the Error frame carries the same one."""
    template: str
    kind: Kind
    phase: Phase
    meaning: str
    """What happened, for a person."""
    advice: str
    """What the client's developer does about it."""
    how_to_trigger: str
    """How to make it happen."""
    drains: bool
    """Whether what was said so far is delivered first; else the session ends at once."""
    retry_after: float | None = None
    """Seconds after which the same connection may succeed; None: it will not, as it stands."""
    example: Mapping[str, object] = field(default_factory=dict)
    """Details for the template, as they may well be."""
    warning: str = ""
    """The template of the Warning that announces it, to clients that ask; empty: none does."""

    def fill(self, **details: object) -> "Closure":
        """The closure of one session, its template filled with `details`."""
        return Closure(self, _filled(self.template, details))

    @property
    def literals(self) -> tuple[str, ...]:
        """The parts of the template that are the same in every text."""
        return tuple(literal for literal, *_ in Formatter().parse(self.template) if literal)

    def find(self, text: str) -> int | None:
        """Where in `text` this row's own text begins; None if nowhere.

        Details and case do not matter, nor what stands around it: servers differ in those.
        """
        found = _pattern(self.literals).search(text)
        return found.start() if found else None

    def matches(self, text: str) -> bool:
        """Whether `text` is, or contains, a text of this row."""
        return self.find(text) is not None

    def for_example(self) -> "Closure":
        """A closure of one session, with the details of the example."""
        return self.fill(**self.example)

    def announced(self, **details: object) -> str:
        """The text of the Warning, filled with `details`."""
        return _filled(self.warning, details)


@dataclass(frozen=True, slots=True)
class Closure:
    """How one session ended."""

    row: ClosureRow
    text: str
    """The whole text, as the Error frame carries it."""

    @property
    def code(self) -> int:
        return self.row.code

    def with_code(self, codes: Mapping[str, int]) -> "Closure":
        """The same with the code that `codes` has for its row, if it has one."""
        code = codes.get(self.row.name, self.row.code)
        return replace(self, row=replace(self.row, code=code))

    @property
    def reason(self) -> str:
        """The text as the close frame carries it."""
        return close_reason(self.text)


def close_reason(text: str) -> str:
    """The text, if a close frame has room for it; else the pointer to the Error frame.

    A text is never cut, so no character is.
    """
    return text if len(text.encode()) <= REASON_BYTES else REASON_TOO_LONG


@cache
def _pattern(literals: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(".+".join(map(re.escape, literals)), re.IGNORECASE | re.DOTALL)


def _filled(template: str, details: Mapping[str, object]) -> str:
    return template.format(**{name: _shorten(str(detail)) for name, detail in details.items()})


def _shorten(text: str) -> str:
    # A lone surrogate (JSON can spell one) has no UTF-8 and could not be sent back.
    sendable = text.encode(errors="replace").decode()
    if len(sendable) <= ECHO_CHARACTERS:
        return sendable
    return sendable[: ECHO_CHARACTERS - 1] + "…"


class Violation(Exception):
    """The peer broke a rule of the protocol; `closure` is how its session ends for it.

    `cause` is what the log says of it beyond that; nothing the peer sent.
    """

    def __init__(self, closure: Closure, *, cause: str = "") -> None:
        super().__init__(closure.text)
        self.closure = closure
        self.cause = cause
