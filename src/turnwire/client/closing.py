"""How a session ended, and what is raised when there is none to use.

    ClientError
    ├── ConnectionFailed    there is no session: nothing, or something else, answered
    │   └── Refused         the server answered, and closed before Begin
    └── SessionClosed       there was a session, and it is over

(`turnwire.client.files.AudioFileError` is a `ClientError` too.)
"""

from dataclasses import dataclass
from enum import StrEnum

from turnwire.wire.messages import Error, Termination

NO_CLOSE_FRAME = 1006
"""The code that stands for a connection lost without a close frame (RFC 6455, 7.1.5)."""


class ClosedBy(StrEnum):
    """Whose close frame came first."""

    SERVER = "the server"
    CLIENT = "the client"
    NEITHER = "neither side"
    """The connection broke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The end of one session, as far as this side saw it."""

    code: int
    """The code of the first close frame; 1006 if there was none."""
    reason: str
    """The reason in that frame, at most 123 bytes; the Error's text may be longer."""
    by: ClosedBy
    error: Error | None = None
    termination: Termination | None = None

    @property
    def text(self) -> str:
        """Why the session ended, in full."""
        return self.error.error if self.error else self.reason

    @property
    def complete(self) -> bool:
        """Whether everything that was said has been delivered: Termination, then code 1000."""
        return self.code == 1000 and self.termination is not None

    def __str__(self) -> str:
        return f"{self.code} {self.text or 'no reason given'} (closed by {self.by})"


class ClientError(Exception):
    """The client cannot do what it was asked to; the text is one sentence for a person."""


class ConnectionFailed(ClientError):
    """No session came about."""


class Refused(ConnectionFailed):
    """The server ended the session before it began; `closing` has its reasons."""

    def __init__(self, closing: Closing) -> None:
        super().__init__(f"The server refused the session: {closing}")
        self.closing = closing


class SessionClosed(ClientError):
    """Nothing can be sent any more. What came before the end can still be read."""
