"""What the client raises.

    ClientError
    ├── LocalError                  this side asked for what cannot be; the server is not to blame
    │   ├── AddressError
    │   ├── AudioFileError
    │   ├── HandlerFailed
    │   └── Misuse
    └── SessionClosed               the session is over, or never began: `closure` tells how
        ├── NormalClosure
        ├── KnownClosure
        ├── ErrorClosure
        └── HandshakeClosure

Under these four there is a class for each row of `turnwire.client.rows`, named after it.
"""

from turnwire.client.closures import Closure
from turnwire.client.rows import ROWS
from turnwire.wire.closure import ClosureRow, Kind


class ClientError(Exception):
    """The client cannot do what it was asked to; the text is for a person."""


class LocalError(ClientError):
    """This side asked for what cannot be."""


class AddressError(LocalError):
    """What was given as the address of a server is none."""


class AudioFileError(LocalError):
    """The file is missing, is not audio, or is damaged."""


class Misuse(LocalError):
    """A client was used in a way or at a time in which it cannot be."""


class HandlerFailed(LocalError):
    """A handler raised an exception (the cause of this one) while the session went on."""


class SessionClosed(ClientError):
    """The session is over, or never began; the text tells the whole story of its end."""

    def __init__(self, closure: Closure) -> None:
        super().__init__(closure)
        self.closure = closure

    @property
    def code(self) -> int:
        return self.closure.code

    def __str__(self) -> str:
        story = f"; {', '.join(self.closure.story)}" if self.closure.story else ""
        return f"{self.closure}{story}. {self.closure.advice}"


class NormalClosure(SessionClosed):
    """It ended as sessions do."""


class KnownClosure(SessionClosed):
    """It ended for a known reason that is no failure."""


class ErrorClosure(SessionClosed):
    """It ended because something went wrong."""


class HandshakeClosure(SessionClosed):
    """There was no session: an HTTP status answered the handshake."""


# What follows is written by ./scripts/docs: classes that are only made when this is imported would
# be unknown to type checkers and editors. What each means, its row says.


class SessionEnded(NormalClosure): ...


class ClientGone(NormalClosure): ...


class SessionLost(NormalClosure): ...


class ClosedHere(NormalClosure): ...


class SessionExpired(KnownClosure): ...


class MissingAuthorization(ErrorClosure): ...


class Unauthorized(ErrorClosure): ...


class AccessEnded(ErrorClosure): ...


class InternalError(ErrorClosure): ...


class ServerError(ErrorClosure): ...


class ServerStopping(ErrorClosure): ...


class LeaseLost(ErrorClosure): ...


class InvalidMessageType(ErrorClosure): ...


class InvalidJson(ErrorClosure): ...


class InvalidMessage(ErrorClosure): ...


class InvalidParameter(ErrorClosure): ...


class UndecodableAudio(ErrorClosure): ...


class Inactive(ErrorClosure): ...


class InputDuration(ErrorClosure): ...


class TransmissionRate(ErrorClosure): ...


class TooManySessions(ErrorClosure): ...


class MessageTooLarge(ErrorClosure): ...


class WebsocketViolation(ErrorClosure): ...


class InvalidText(ErrorClosure): ...


class MessageRate(ErrorClosure): ...


class NoCapacity(ErrorClosure): ...


class NoTermination(ErrorClosure): ...


class ConnectionLost(ErrorClosure): ...


class NotEnded(ErrorClosure): ...


class Unreachable(ErrorClosure): ...


class HostNotFound(ErrorClosure): ...


class TlsFailed(ErrorClosure): ...


class NotAWebsocket(ErrorClosure): ...


class ProxyFailed(ErrorClosure): ...


class NoBegin(ErrorClosure): ...


class TokenFailed(ErrorClosure): ...


class NotThisProtocol(ErrorClosure): ...


class GoingAway(ErrorClosure): ...


class ServiceRestart(ErrorClosure): ...


class BadGateway(ErrorClosure): ...


class UnknownClosure(ErrorClosure): ...


class DeprecatedEndpoint(HandshakeClosure): ...


class HandshakeRefused(HandshakeClosure): ...


class HandshakeFailed(HandshakeClosure): ...


class Redirected(HandshakeClosure): ...


def class_name(row: ClosureRow) -> str:
    """What the exception of a row is called."""
    return "".join(part.capitalize() for part in row.name.split("_"))


def raised_for(closure: Closure) -> SessionClosed:
    """The exception of this closure."""
    made: SessionClosed = globals()[class_name(closure.row)](closure)
    return made


BASES: dict[Kind, type[SessionClosed]] = {
    Kind.NORMAL: NormalClosure,
    Kind.KNOWN: KnownClosure,
    Kind.ERROR: ErrorClosure,
    Kind.HTTP: HandshakeClosure,
}

for _row in ROWS:
    _name = class_name(_row)
    if _name not in globals():
        # A row that is newer than what is written above has one all the same.
        globals()[_name] = type(_name, (BASES[_row.kind],), {"__module__": __name__})
    globals()[_name].__doc__ = _row.meaning
