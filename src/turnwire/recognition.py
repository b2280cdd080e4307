"""What was heard: the vocabulary that a speech engine and a session share.

An engine listens to one session's audio and tells, in the order of the audio and stamped on the
audio clock (milliseconds since the first sample the client sent), what it heard. It keeps to
these rules, and a session relies on them:

1. Words are those of the current *utterance*: everything heard since the last cut. Each event
   repeats all of them.
2. The first `stable` words of a `Partial` or `Pause` never change again in any later event of
   the utterance, apart from what `plain` leaves out. The words of a `Pause`, `Marked` or
   `Finished` are settled: they are what the engine stands by if the session cuts there.
3. After yielding an event the engine goes no further until the next one is asked for, so a cut
   made in answer to an event falls exactly there, however fast the audio came in.
4. What was judged to be no speech yields no words: silence, noise and tones are an empty
   utterance, and may yield no event at all.

The session's `RecognitionOptions` say what to listen for, and how closely.
"""

import string
import unicodedata
from dataclasses import dataclass


def plain(text: str) -> str:
    """A word without case and the punctuation around it; an apostrophe or hyphen within stays."""
    if text.isalnum():
        return text.lower()  # most words
    start, end = 0, len(text)
    while start < end and _is_punctuation(text[start]):
        start += 1
    while end > start and _is_punctuation(text[end - 1]):
        end -= 1
    return text[start:end].lower().replace("’", "'") or text


def _is_punctuation(letter: str) -> bool:
    return letter in string.punctuation or unicodedata.category(letter)[0] == "P"


@dataclass(frozen=True, slots=True)
class Word:
    """One word as the engine writes it: cased and punctuated, without spaces."""

    text: str
    start: int
    """First millisecond of the word, on the audio clock."""
    end: int
    """Last millisecond of the word; never before `start`."""
    confidence: float
    """The engine's own probability of the word, 0 to 1."""
    joined: bool = False
    """Whether it follows the word before without a space, as it may in Japanese."""


@dataclass(frozen=True, slots=True)
class Language:
    """What language words are in."""

    code: str
    """Two letters of ISO 639-1, or three where there are none."""
    confidence: float
    """0 to 1; 1 where the engine knows no other."""


ENGLISH = Language("en", 1.0)


@dataclass(frozen=True, slots=True)
class RecognitionOptions:
    """How a session wants its audio listened to."""

    vad_threshold: float
    """Probability of speech below which audio is silence, 0 to 1."""
    first_partial: int = 0
    """ms of speech before the session has use for a `Partial`, and"""
    next_partial: int = 0
    """ms after one before it has use for the next. An engine may tell more of them where it has
    reasons of its own, and fewer."""
    least_pause: int = 0
    """ms of silence from which on a pause is of use to the session. An engine tells of shorter ones
    where it has time for them, as they are heard for good, too."""
    prompt: str = ""
    """What the session is about, in the client's words."""
    keyterms: tuple[str, ...] = ()
    """Names and words that may be said, the most important first."""
    agent_context: str = ""
    """What the other side of the conversation said last."""
    languages: tuple[str, ...] = ()
    """The codes of those that may be spoken; none: any that the engine knows."""
    recording: bool = False
    """Whether the audio is a recording, of which nobody waits for a `Partial`: it is listened to
    while there is nothing else to do, at least as fast as it was spoken if that can be."""
    multilingual: bool = False
    """Whether the session asked for other languages than English. What it asked for first counts:
    all of its words are those of one model."""
    watch_language: bool = False
    """Whether to tell if another language is spoken than the words are in, if that can be known."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """A voice set in at `at` ms."""

    at: int
    probability: float
    """How sure the engine is that it is a voice, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What the utterance seems to be while it is being spoken."""

    words: tuple[Word, ...]
    stable: int
    """How many of the leading words will not change any more."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Nobody has spoken from `since` ms until `until` ms, the end of the audio listened to so far.

    Repeated, with `until` growing, as long as the silence lasts; about once a second before
    anyone has spoken.
    """

    words: tuple[Word, ...]
    since: int
    until: int
    completeness: float
    """How likely it is that the speaker has finished what they were saying, 0 to below 1."""
    language: Language = ENGLISH
    stable: int = 0
    """How many of the leading words will not change even if the speaker goes on."""
    spoken: Language | None = None
    """What is spoken, where `watch_language` has that told, and it is not what the words are in."""


@dataclass(frozen=True, slots=True)
class Marked:
    """All audio that came before a mark has been heard; it ends at `at` ms."""

    words: tuple[Word, ...]
    at: int
    completeness: float
    language: Language = ENGLISH


@dataclass(frozen=True, slots=True)
class Finished:
    """All audio has been heard; it ends at `at` ms. Nothing follows."""

    words: tuple[Word, ...]
    at: int
    completeness: float
    language: Language = ENGLISH


SpeechEvent = SpeechStarted | Partial | Pause | Marked | Finished
