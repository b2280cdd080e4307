"""What passes between a stream that has audio and a decoder that makes text of it."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from turnwire.recognition import ENGLISH, Language, RecognitionOptions
from turnwire.speech.languages import LITTLE_S, NOTHING_HEARD, LanguageEvidence
from turnwire.speech.quality import FULL, Quality

RATE = 16_000
"""Samples per second of all audio inside the engine."""

MS = RATE // 1000
"""Samples per millisecond."""


class JobKind(IntEnum):
    """What a decode is for."""

    FINAL = 0
    PARTIAL = 1


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One decode to be made. It holds all that its result depends on."""

    window: NDArray[np.int16]
    """Audio, mono, `RATE` samples per second, at most 29 s."""
    prefix: tuple[int, ...]
    """Tokens that the text begins with whatever the audio says."""
    kind: JobKind
    voice_end: int
    """Where in the window the last voice ends, samples; no word is spoken after it."""
    context: tuple[int, ...] = ()
    """Tokens of what was said before the window: they say what it is about, and how it is written.
    Spoken in pieces, a passage is heard no better than its worst piece without them."""
    options: RecognitionOptions | None = None
    """What else is known of it."""
    heard: LanguageEvidence = NOTHING_HEARD
    """What the stream's earlier speech says about its language."""
    thorough: bool = False
    """Whether it was decoded before, and the text looked bad or may be no speech."""
    quality: Quality = FULL
    """What is done for it; those that decode it say so."""

    @property
    def watches_language(self) -> bool:
        """Whether it is to be found out what is spoken, though that does not change the text."""
        return (
            self.options is not None
            and self.options.watch_language
            and self.kind is JobKind.FINAL
            and not self.heard.is_certain(())
            and self.voice_end >= LITTLE_S * RATE
        )

    @property
    def is_patient(self) -> bool:
        """Whether it is of a recording, which waits rather than live audio."""
        return self.options is not None and self.options.recording


@dataclass(frozen=True, slots=True)
class DecodedWord:
    """One word of a window's text."""

    text: str
    start: int
    """First millisecond: a decoder counts from the start of the window, a stream from its own."""
    end: int
    """Last millisecond; never before `start`."""
    confidence: float
    tokens: tuple[int, ...]
    trusted: bool = True
    """Whether it may be part of a later window's context: what is wrong makes that wrong, too."""
    joined: bool = False
    """Whether it follows the word before without a space."""


@dataclass(frozen=True, slots=True)
class Text:
    """What a window says."""

    words: tuple[DecodedWord, ...]
    completeness: float
    """How likely a sentence ends after the last word, 0 to 0.99; 0 without words."""
    language: Language = ENGLISH
    heard: LanguageEvidence | None = None
    """What is known of the language with this window; None if the window says nothing of it."""
    doubted: bool = False
    """Whether it may well be that nothing was said: a later decode may find just that."""


NOTHING = Text((), 0.0)


class Recognizer(Protocol):
    """A model that makes texts of windows. Thread-safe."""

    def shape(self, job: Job) -> Hashable:
        """Jobs of one kind whose shapes are equal can be decoded together."""

    def decode(self, jobs: Sequence[Job]) -> Sequence[Text | Job]:
        """The text of each job, or the job to do instead where the text looks bad or may be no
        speech."""
