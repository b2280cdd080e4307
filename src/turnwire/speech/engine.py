"""What a speech engine is, whatever model is behind it.

An `Engine` is shared by all sessions of a server and owns what is expensive: weights, worker
threads. A `Stream` is one session's ear. Any model fits that can tell its words by the rules of
`turnwire.recognition`: Whisper decodes windows again and again, a transducer would carry its state
from chunk to chunk; a session cannot tell which one listens.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from turnwire.recognition import RecognitionOptions, SpeechEvent
from turnwire.speech.quality import FULL

Samples = NDArray[np.int16]
"""Mono audio, signed 16 bits, at the rate the stream was opened with."""


class EngineError(Exception):
    """An engine cannot be made; the text is one sentence for the person who starts the server."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that has so much time in each second and no more. Live sessions take of it."""

    seconds: float
    """In each second: the number of processors, say."""
    usable: float
    """The part of it that sessions may take, lest they wait for each other."""
    expected: float
    """Seconds of it for each second of a conversation, measured when the engine was made."""
    spent: float
    """Seconds of it, so far."""


@dataclass(frozen=True, slots=True)
class EngineLoad:
    """What an engine has to do. Where kinds of texts are told apart, recordings are neither."""

    threads: int
    resources: Sequence[Resource]
    spent_on_finals: float
    """Seconds of CPU, so far; on a GPU, those that threads were occupied for."""
    behind: float
    """For how many seconds the next final text has been waiting for a thread."""
    quality: str = FULL.name
    """Where on `quality.LADDER` the engine stands."""
    spent_on_partials: float = 0.0
    """As `spent_on_finals`."""
    spent_on_recordings: float = 0.0
    """As `spent_on_finals`."""
    waiting_finals: int = 0
    """Decodes of final texts that have not begun."""
    waiting_partials: int = 0
    """Decodes of partial texts that have not begun."""
    waiting_recordings: int = 0
    """Decodes of recordings that have not begun."""
    batches: Mapping[int, int] = field(default_factory=dict)
    """How many batches of each size were begun, so far."""


class Stream(Protocol):
    """One session's ear. All methods are called from one event loop."""

    async def feed(self, samples: Samples) -> None:
        """Take the next samples; waits while the engine is too far behind the audio."""

    def mark(self) -> None:
        """Ask for a `Marked` once all audio fed so far has been heard."""

    def finish(self) -> None:
        """Say that no audio follows; the events end with `Finished`."""

    def cut(self) -> None:
        """End the utterance where the event last yielded stands: its words are taken."""

    def configure(self, options: RecognitionOptions) -> None:
        """Listen by these options instead, from the audio fed next or sooner."""

    def voice_peak(self) -> float:
        """The highest probability of speech, 0 to 1, in what was heard since this was asked."""

    def events(self) -> AsyncIterator[SpeechEvent]:
        """What is heard, in the order of the audio. Asked for once.

        An exception means that the engine failed this session; it does not concern the others.
        """

    async def close(self) -> None:
        """Drop everything that is still to be done for this stream. Safe at any time, twice too."""


class Engine(Protocol):
    """A model, loaded and ready, and the threads that run it."""

    @property
    def name(self) -> str:
        """The model's name as a user would type it, such as `tiny.en`."""

    def open(self, *, sample_rate: int, options: RecognitionOptions) -> Stream:
        """A new ear for audio at `sample_rate` Hz."""

    def load(self) -> EngineLoad | None:
        """What its sessions cost; None if that is nothing to speak of."""

    async def close(self) -> None:
        """Stop the threads; every stream has been closed before."""
