"""What the client raises.

    ClientError
    ├── LocalError                  this side asked for what cannot be; the server is not to blame
    │   ├── AddressError
    │   ├── AudioFileError
    │   ├── HandlerFailed
    │   └── Misuse
    └── SessionClosed               the session is over, or never began: `closure` tells how
        ├── NormalClosure
        │   ├── SessionEnded
        │   ├── ClientGone
        │   ├── SessionLost
        │   └── ClosedHere
        ├── KnownClosure
        │   └── SessionExpired
        ├── ErrorClosure
        │   ├── MissingAuthorization
        │   ├── Unauthorized
        │   ├── AccessEnded
        │   ├── InternalError
        │   ├── ServerError
        │   ├── ServerStopping
        │   ├── LeaseLost
        │   ├── InvalidMessageType
        │   ├── InvalidJson
        │   ├── InvalidMessage
        │   ├── InvalidParameter
        │   ├── UndecodableAudio
        │   ├── Inactive
        │   ├── InputDuration
        │   ├── TransmissionRate
        │   ├── TooManySessions
        │   ├── MessageTooLarge
        │   ├── NoCapacity
        │   ├── NoTermination
        │   ├── ConnectionLost
        │   ├── NotEnded
        │   ├── Unreachable
        │   ├── NoBegin
        │   ├── TokenFailed
        │   ├── NotThisProtocol
        │   ├── GoingAway
        │   ├── ServiceRestart
        │   ├── BadGateway
        │   └── UnknownClosure
        └── HandshakeClosure
            ├── DeprecatedEndpoint
            ├── HandshakeRefused
            └── HandshakeFailed

The classes under `SessionClosed` are made from the rows of `turnwire.client.closures`, one each.
"""

from turnwire.client.closures import ROWS, Closure
from turnwire.wire.closures import ClosureRow, Kind


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


_BASES: dict[Kind, type[SessionClosed]] = {
    Kind.NORMAL: NormalClosure,
    Kind.KNOWN: KnownClosure,
    Kind.ERROR: ErrorClosure,
    Kind.HTTP: HandshakeClosure,
}


def _made(row: ClosureRow) -> type[SessionClosed]:
    name = "".join(part.capitalize() for part in row.name.split("_"))
    return type(name, (_BASES[row.kind],), {"__doc__": row.meaning, "__module__": __name__})


_BY_ROW = {row.name: _made(row) for row in ROWS}

globals().update({made.__name__: made for made in _BY_ROW.values()})


def __getattr__(name: str) -> type[SessionClosed]:
    # Type checkers do not see the classes above, and believe this.
    raise AttributeError(f"There is no closure {name!r}")


def raised_for(closure: Closure) -> SessionClosed:
    """The exception of this closure."""
    return _BY_ROW[closure.name](closure)
