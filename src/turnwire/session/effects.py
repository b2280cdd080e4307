"""What a session asks its shell to do, in order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turnwire.recognition import RecognitionOptions
from turnwire.wire.closure import Closure
from turnwire.wire.encodings import Encoding
from turnwire.wire.messages import ServerMessage


@dataclass(frozen=True, slots=True)
class Admit:
    """Find out whether the client may have a session: `Admitted` or `Abort` is the answer."""

    recording: bool = False
    """Whether it is for a recording."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message to the client."""

    message: ServerMessage


@dataclass(frozen=True, slots=True)
class Listen:
    """Open a speech stream for the session; always before the effects that concern it."""

    sample_rate: int
    options: RecognitionOptions


@dataclass(frozen=True, slots=True)
class Decode:
    """Decode this message and those before it as one stream: `Decoded`, any number of times, or
    `Undecodable` is the answer, before the client's next message."""

    encoding: Encoding
    data: bytes


@dataclass(frozen=True, slots=True)
class Recognize:
    """Give these samples to the speech stream."""

    samples: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Reserve:
    """Have more reserved for the session before reading on: `Funded` is the answer, unless the
    accounts cannot be reached."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Ask the speech stream to say when it has heard everything up to here."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Tell the speech stream that no audio follows."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Tell the speech stream that the words of its last event are taken."""


@dataclass(frozen=True, slots=True)
class Configure:
    """Give the speech stream new options, from the audio that follows."""

    options: RecognitionOptions


@dataclass(frozen=True, slots=True)
class MeasureVoice:
    """Ask the speech stream how probable a voice was lately: `VoiceMeasured` is the answer."""


@dataclass(frozen=True, slots=True)
class Log:
    """Write this into the server's log; it holds no word of what was said or sent."""

    text: str


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection. Last effect of every session."""

    closure: Closure


Effect = (
    Admit
    | Send
    | Listen
    | Decode
    | Recognize
    | Reserve
    | Mark
    | Finish
    | Cut
    | Configure
    | MeasureVoice
    | Log
    | Close
)
