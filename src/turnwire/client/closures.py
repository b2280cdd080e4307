"""How a session ended, as the client saw it: always one row of a table.

It is a row of the protocol's own table (`turnwire.wire.closures`) or of `OWN_ROWS`, which has what
only a client sees: a network that fails, servers that speak otherwise, codes of other servers.

Which row it is, the text tells before the code does: several rows share a code, and servers
differ in the codes they use. A text is recognized however it is cased and whatever is put before
it, because servers differ in that, too.
"""

from dataclasses import dataclass
from enum import StrEnum

from turnwire.wire.closures import (
    CLOSURES,
    NO_CLOSE_FRAME,
    SESSION_ENDED,
    ClosureRow,
    Kind,
    Phase,
)

POLICY_VIOLATION = 1008
"""The code that is never tried again, whatever its row says."""


class ClosedBy(StrEnum):
    """Whose close frame came first."""

    SERVER = "the server"
    CLIENT = "the client"
    NEITHER = "neither side"
    """The connection broke, or never came about."""


CLOSED_HERE = ClosureRow(
    name="closed_here",
    code=1000,
    template="Closed by this client",
    kind=Kind.NORMAL,
    phase=Phase.SESSION,
    drains=False,
    meaning="This side closed the connection without Terminate.",
    advice="Send Terminate and wait for Termination, or the last words are lost.",
    how_to_trigger="Leave the context of a client by an exception.",
)

NO_TERMINATION = ClosureRow(
    name="no_termination",
    code=1000,
    template="Closed without Termination",
    kind=Kind.ERROR,
    phase=Phase.SESSION,
    drains=False,
    meaning="The server closed as if all were well, but Termination had not come.",
    advice="Connect again; do not count on having every word.",
    how_to_trigger="Rehearse no-termination.",
    retry_after=1,
)

CONNECTION_LOST = ClosureRow(
    name="connection_lost",
    code=NO_CLOSE_FRAME,
    template="The connection was lost",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="The connection broke without a close frame: the network failed, the server died, or "
    "it answered no ping.",
    advice="Connect again.",
    how_to_trigger="Rehearse reset.",
    retry_after=0,
)

NOT_ENDED = ClosureRow(
    name="not_ended",
    code=NO_CLOSE_FRAME,
    template="The server did not end the session within {seconds} seconds",
    kind=Kind.ERROR,
    phase=Phase.SESSION,
    drains=False,
    meaning="The end was asked for or announced, and did not come; the connection was dropped.",
    advice="Connect again, or look at what keeps the server busy.",
    how_to_trigger="Rehearse vanish, and terminate.",
    retry_after=1,
    example={"seconds": 30},
)

UNREACHABLE = ClosureRow(
    name="unreachable",
    code=NO_CLOSE_FRAME,
    template="Could not connect to {address}; is a server running there? ({problem})",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="No connection to the server came about.",
    advice="Check the address, and that the server is running.",
    how_to_trigger="Connect to a port where nobody listens.",
    retry_after=1,
    example={"address": "ws://localhost:8080/v3/ws", "problem": "connection refused"},
)

HOST_NOT_FOUND = ClosureRow(
    name="host_not_found",
    code=NO_CLOSE_FRAME,
    template="There is no host {host} ({problem})",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="The name of the server's host could not be resolved.",
    advice="Check the name in the server's URL, and this machine's network.",
    how_to_trigger="Connect to a name that does not exist.",
    retry_after=1,
    example={"host": "speech.example.invalid", "problem": "Name or service not known"},
)

TLS_FAILED = ClosureRow(
    name="tls_failed",
    code=NO_CLOSE_FRAME,
    template="The TLS connection to {address} failed: {problem}",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="The server's certificate is not trusted here, or the server does not speak TLS.",
    advice="Trust the certificate's authority (ca_file), or use ws:// if the server has no TLS.",
    how_to_trigger="Connect with wss:// to a server whose certificate is self-signed.",
    example={"address": "wss://localhost:8080/v3/ws", "problem": "self-signed certificate"},
)

NOT_A_WEBSOCKET = ClosureRow(
    name="not_a_websocket",
    code=NO_CLOSE_FRAME,
    template="What answers at {address} is no WebSocket server ({problem})",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="Something else listens on that port, or the server there expects TLS.",
    advice="Check the port, and use wss:// if the server has TLS.",
    how_to_trigger="Connect to the port of a mail server.",
    example={"address": "ws://localhost:25/v3/ws", "problem": "invalid HTTP status line"},
)

PROXY_FAILED = ClosureRow(
    name="proxy_failed",
    code=NO_CLOSE_FRAME,
    template="The proxy {proxy} could not be used: {problem}",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="The environment names a proxy for this address, and there was no way through it.",
    advice="Check the proxy settings of the environment (https_proxy, no_proxy and the like).",
    how_to_trigger="Set https_proxy to a port where nobody listens, and connect to another host.",
    retry_after=1,
    example={"proxy": "http://127.0.0.1:9", "problem": "connection refused"},
)

NO_BEGIN = ClosureRow(
    name="no_begin",
    code=NO_CLOSE_FRAME,
    template="{address} did not open a session within {seconds} seconds",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="Begin did not come in time.",
    advice="Connect again; the server may be overloaded.",
    how_to_trigger="Rehearse no-begin.",
    retry_after=1,
    example={"address": "ws://localhost:8080/v3/ws", "seconds": 10},
)

TOKEN_FAILED = ClosureRow(
    name="token_failed",
    code=NO_CLOSE_FRAME,
    template="The token provider failed: {problem}",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="There was no token to connect with, because what provides them raised an exception.",
    advice="Look at the cause of this exception.",
    how_to_trigger="Give a client a token provider that raises.",
    retry_after=1,
    example={"problem": "TimeoutError()"},
)

NOT_THIS_PROTOCOL = ClosureRow(
    name="not_this_protocol",
    code=1002,
    template="The server does not speak this protocol: {message} came before Begin",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="What came is not of this protocol, such as anything but Begin or Error at first.",
    advice="Check the address.",
    how_to_trigger="Connect to a server of another protocol.",
    example={"message": "Turn"},
)

HANDSHAKE_REFUSED = ClosureRow(
    name="handshake_refused",
    code=403,
    template="{address} answered with HTTP status {status} instead of a session{body}",
    kind=Kind.HTTP,
    phase=Phase.OPENING,
    drains=False,
    meaning="The handshake was answered with an HTTP status that another attempt does not change.",
    advice="Check the address and what stands between here and there.",
    how_to_trigger="Rehearse handshake/403.",
    example={"address": "ws://localhost:8080/v3/ws", "status": 403, "body": ""},
)

HANDSHAKE_FAILED = ClosureRow(
    name="handshake_failed",
    code=503,
    template=HANDSHAKE_REFUSED.template,
    kind=Kind.HTTP,
    phase=Phase.OPENING,
    drains=False,
    meaning="The handshake was answered with an HTTP status of a server in trouble (429, 5xx).",
    advice="Connect again soon.",
    how_to_trigger="Rehearse handshake/503.",
    retry_after=1,
    example={"address": "ws://localhost:8080/v3/ws", "status": 503, "body": ""},
)

GOING_AWAY = ClosureRow(
    name="going_away",
    code=1001,
    template="Going away",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="The server, or something in between, is about to stop or had enough of silence.",
    advice="Connect again.",
    how_to_trigger="Use a server that closes with 1001.",
    retry_after=1,
)

SERVICE_RESTART = ClosureRow(
    name="service_restart",
    code=1012,
    template="Service restart",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="The server is about to start again.",
    advice="Connect again.",
    how_to_trigger="Use a server that closes with 1012.",
    retry_after=1,
)

BAD_GATEWAY = ClosureRow(
    name="bad_gateway",
    code=1014,
    template="Bad gateway",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="A gateway had no good answer from the server behind it.",
    advice="Connect again.",
    how_to_trigger="Use a gateway that closes with 1014.",
    retry_after=1,
)

UNKNOWN_CLOSURE = ClosureRow(
    name="unknown_closure",
    code=4000,
    template="Unknown closure",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="The server closed with a code, or with a text, that stands in no table.",
    advice="Read the code and the text.",
    how_to_trigger="Use a server that closes with 4000.",
)

OWN_ROWS = (
    CLOSED_HERE,
    NO_TERMINATION,
    CONNECTION_LOST,
    NOT_ENDED,
    UNREACHABLE,
    HOST_NOT_FOUND,
    TLS_FAILED,
    NOT_A_WEBSOCKET,
    PROXY_FAILED,
    NO_BEGIN,
    TOKEN_FAILED,
    NOT_THIS_PROTOCOL,
    HANDSHAKE_REFUSED,
    HANDSHAKE_FAILED,
    GOING_AWAY,
    SERVICE_RESTART,
    BAD_GATEWAY,
    UNKNOWN_CLOSURE,
)

ROWS = (*CLOSURES, *OWN_ROWS)


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
