"""What can happen to a session, beside what the engine recognizes (`turnwire.recognition`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turnwire.recognition import SpeechEvent
from turnwire.wire.closure import Closure


@dataclass(frozen=True, slots=True)
class Connected:
    """A client is there and says what it wants."""

    query: Sequence[tuple[str, str]] = ()
    """The decoded query string of the connection."""
    api_version: str | None = None
    """The protocol version that the client asked for; None: the one this server speaks."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The client may have its session."""

    max_seconds: int
    """The longest the session may last."""
    unix_time: float
    """The wall-clock time in seconds, for `Begin.expires_at`."""


@dataclass(frozen=True, slots=True)
class Funded:
    """What the session may use is reserved, in time or in audio, whichever is more."""

    until_ms: int | None
    """So much in all; None: as much as it likes."""
    last: bool = False
    """Whether there is no more after that."""
    seconds_left: float = 0.0
    """How long more can be reserved, if things go on as they do."""
    closure: Closure | None = None
    """How the session ends when there is no more."""


@dataclass(frozen=True, slots=True)
class AudioReceived:
    """A binary message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Decoded:
    """What became of compressed audio."""

    samples: NDArray[np.int16]
    """At `turnwire.wire.audio.DECODED_RATE`."""


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Compressed audio could not be decoded."""

    detail: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The speech stream has taken so many seconds more of a recording."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NoRoom:
    """The server cannot keep more of the audio that waits for the engine."""


@dataclass(frozen=True, slots=True)
class TextReceived:
    """A text message."""

    text: str


@dataclass(frozen=True, slots=True)
class Tick:
    """The time that `Session.deadline()` named has come, or may have."""


@dataclass(frozen=True, slots=True)
class VoiceMeasured:
    """How probable a voice was at most, 0 to 1, since that was asked last."""

    probability: float


@dataclass(frozen=True, slots=True)
class Abort:
    """Something outside ends the session at once: a refusal, a failure."""

    closure: Closure


@dataclass(frozen=True, slots=True)
class DrainRequested:
    """Something outside ends the session once what was said so far is delivered."""

    closure: Closure


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The client is gone; nothing can be sent any more."""


Event = (
    Connected
    | Admitted
    | Funded
    | AudioReceived
    | Decoded
    | Undecodable
    | Heard
    | NoRoom
    | TextReceived
    | Tick
    | VoiceMeasured
    | Abort
    | DrainRequested
    | Disconnected
    | SpeechEvent
)
