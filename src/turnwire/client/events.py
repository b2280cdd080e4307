"""What can happen to a client's stream. Legs are named by the numbers that `Open` gave them."""

from dataclasses import dataclass

from turnwire.client.closures import Closure


@dataclass(frozen=True, slots=True)
class Started:
    """The program wants its first session."""


@dataclass(frozen=True, slots=True)
class AudioGiven:
    """The program has audio."""

    audio: bytes
    rereadable: bool = False
    """Whether it can be read again at any time, as that of a file."""


@dataclass(frozen=True, slots=True)
class MessageGiven:
    """A message that belongs after the audio so far."""

    text: str
    forces: bool = False
    """Whether it ends the current turn."""


@dataclass(frozen=True, slots=True)
class KeepAliveGiven:
    """The program wants the session kept alive."""


@dataclass(frozen=True, slots=True)
class Finished:
    """No more audio comes."""


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The program gives up: nothing more is waited for."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The handshake is done."""

    leg: int
    unix_time: float
    """Now, as `Begin.expires_at` counts."""


@dataclass(frozen=True, slots=True)
class OpenFailed:
    """There is no connection."""

    leg: int
    closure: Closure
    cause: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A frame from the server."""

    leg: int
    frame: str | bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """What was last to be sent is on its way; more can follow."""

    leg: int


@dataclass(frozen=True, slots=True)
class Ponged:
    """A ping was answered."""

    leg: int


@dataclass(frozen=True, slots=True)
class CloseFrame:
    """The content of a close frame."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is over."""

    leg: int
    received: CloseFrame | None
    sent: CloseFrame | None
    server_first: bool
    """Whether the frame received came before the one sent."""


@dataclass(frozen=True, slots=True)
class AudioReread:
    """Audio that was asked for again; None if it is not to be had any more."""

    leg: int
    audio: bytes | None


@dataclass(frozen=True, slots=True)
class Tick:
    """The time that `ClientStream.deadline()` named has come, or may have."""


LegEvent = Opened | OpenFailed | Received | Sent | Ponged | Disconnected | AudioReread

Event = (
    Started | AudioGiven | MessageGiven | KeepAliveGiven | Finished | Abandoned | LegEvent | Tick
)
