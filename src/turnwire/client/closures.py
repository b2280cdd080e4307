"""How a session ended, as the client saw it: always one row of a table.

It is a row of the protocol's own table (`turnwire.wire.closures`) or one that only a
client sees (`turnwire.client.rows`).

Which row it is, the text tells before the code does: several rows share a code, and servers
differ in the codes they use. A text is recognized however it is cased and whatever is put before
it, because servers differ in that, too.
"""

from dataclasses import dataclass
from enum import StrEnum

from turnwire.client.rows import (
    BAD_GATEWAY,
    GOING_AWAY,
    HANDSHAKE_FAILED,
    HANDSHAKE_REFUSED,
    SERVICE_RESTART,
    UNKNOWN_CLOSURE,
)
from turnwire.wire.closure import ClosureRow, Kind
from turnwire.wire.closures import CLOSURES, SESSION_ENDED

POLICY_VIOLATION = 1008
"""The code that is never tried again, whatever its row says."""


class ClosedBy(StrEnum):
    """Whose close frame came first."""

    SERVER = "the server"
    CLIENT = "the client"
    NEITHER = "neither side"
    """The connection broke, or never came about."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of a stream that no final turn covers, though words may be in it."""

    start: int
    """ms from the beginning of the stream."""
    end: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """The end of one session, or of the attempt to open one."""

    row: ClosureRow
    code: int
    """The code of the first close frame; 1006 if there was none, an HTTP status if it ended at
    the handshake."""
    reason: str = ""
    """The reason in that frame, at most 123 bytes; `text` may be longer."""
    text: str
    """Why, in full: the text of the Error message if one came."""
    by: ClosedBy
    story: tuple[str, ...] = ()
    """What was received and what was sent, in this order; audio and turns left out."""
    session_id: str | None = None
    """As Begin told it; None: there was no Begin."""
    audio_seconds: float = 0.0
    """As Termination told it; without one, what was sent."""
    session_seconds: float = 0.0
    """As Termination told it; without one, the time since Begin."""
    terminated: bool = False
    """Whether Termination came: everything that was said has been delivered."""
    gaps: tuple[Gap, ...] = ()
    """Of the stream that ended with this session: what is missing, in order."""

    @property
    def name(self) -> str:
        """The name of the row, such as session_expired."""
        return self.row.name

    @property
    def is_error(self) -> bool:
        """Whether `on_error` is called before `on_close`."""
        return self.row.kind in (Kind.ERROR, Kind.HTTP)

    @property
    def retry_after(self) -> float | None:
        """Seconds after which to connect again; None: it would end the same way."""
        return None if self.code == POLICY_VIOLATION else self.row.retry_after

    @property
    def retryable(self) -> bool:
        """Whether connecting again, as it stands, may succeed."""
        return self.retry_after is not None

    @property
    def advice(self) -> str:
        """What to do about it."""
        return self.row.advice

    @property
    def complete(self) -> bool:
        """Whether everything that was said has been delivered: Termination came, and no gaps."""
        return self.row is SESSION_ENDED and not self.gaps

    def __str__(self) -> str:
        return f"{self.code} {self.text or 'no reason given'} (closed by {self.by})"


def row_of(code: int, text: str) -> ClosureRow:
    """The row of a server's close with this code and text, other than a normal one."""
    if code in _OWN_CODES:
        return _OWN_CODES[code]
    of_code = [row for row in _TOLD if row.code == code]
    by_text = _starts_with(text) or _contains(text) or _has_headline(text, of_code)
    if by_text is not None:
        return by_text
    return of_code[0] if len({row.template for row in of_code}) == 1 else UNKNOWN_CLOSURE


def _starts_with(text: str) -> ClosureRow | None:
    """The most specific row whose text this one begins with."""
    return max((row for row in _TOLD if row.find(text) == 0), key=_specificity, default=None)


def _contains(text: str) -> ClosureRow | None:
    """The most specific row whose text stands somewhere in this one."""
    return max((row for row in _TOLD if row.matches(text)), key=_specificity, default=None)


def _has_headline(text: str, rows: list[ClosureRow]) -> ClosureRow | None:
    """The most general of these rows that shares what stands before its colon: the details are
    worded otherwise, and may be those of no row."""
    return min((row for row in rows if _headline(row, text)), key=_specificity, default=None)


def _headline(row: ClosureRow, text: str) -> bool:
    return text.lower().startswith(row.template.split(":")[0].lower())


def _specificity(row: ClosureRow) -> int:
    return len("".join(row.literals))


def handshake_row(status: int) -> ClosureRow:
    """The row of a handshake that was answered with this HTTP status."""
    for row in CLOSURES:
        if row.kind is Kind.HTTP and row.code == status:
            return row
    return HANDSHAKE_FAILED if status == 429 or status >= 500 else HANDSHAKE_REFUSED


_TOLD = [row for row in CLOSURES if row.kind is not Kind.NORMAL]
"""The rows whose texts a server sends; of two with one text, the first is meant."""

_OWN_CODES = {row.code: row for row in (GOING_AWAY, SERVICE_RESTART, BAD_GATEWAY)}
