"""Word error rate of what was heard live, beside the same weights offline."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import soxr

from turnwire.bench.clips import SPEECH_RATE, Clip
from turnwire.bench.measuring import Judged
from turnwire.bench.scoring import word_errors
from turnwire.speech.offline import transcriber


@dataclass(frozen=True, slots=True)
class ErrorRate:
    errors: int
    words: int
    percent: float

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Self | None:
        """That of pairs of what was said and what was heard; None if nothing was said."""
        counted = [word_errors(said, heard) for said, heard in pairs]
        errors, words = (sum(each[i] for each in counted) for i in (0, 1))
        return cls(errors, words, round(100 * errors / words, 2)) if words else None


@dataclass(frozen=True, slots=True)
class Difference:
    """A clip that was not heard as it was said."""

    clip: Clip
    offline: str
    streamed: str


@dataclass(frozen=True, slots=True)
class Words:
    streamed: ErrorRate
    offline: ErrorRate | None
    """None if nobody asked."""


Played = Sequence[Sequence[tuple[Clip, str, str]]]
"""For each session, its clips whose words are known: what is said, and what was heard."""


def score(sessions: Sequence[Judged], model: str) -> tuple[Words | None, list[Difference]]:
    """The rates over all clips that were played in full and whose words are known.

    Blocks while the clips are transcribed offline.
    """
    played = [
        [(clip, clip.reference, heard) for clip, heard in session.heard if clip.reference]
        for session in sessions
    ]
    clips = {clip.path: clip for session in played for clip, _, _ in session}
    return compare(played, transcribe_offline(clips.values(), model))


def compare(
    played: Played, heard_offline: Mapping[Path, str] | None
) -> tuple[Words | None, list[Difference]]:
    """What was heard live beside what was heard offline.

    Live, what was heard of a session's clips is scored in one piece: where one clip runs into the
    next, a word between them belongs to either.
    """
    streamed = ErrorRate.of(
        (" ".join(said for _, said, _ in session), " ".join(heard for _, _, heard in session))
        for session in played
    )
    beside = heard_offline or {}
    offline = ErrorRate.of(
        (said, beside.get(clip.path, "")) for session in played for clip, said, _ in session
    )
    differences = [
        Difference(clip, beside.get(clip.path, ""), heard)
        for session in played
        for clip, said, heard in session
        if word_errors(said, heard)[0]
    ]
    if streamed is None:
        return None, differences
    return Words(streamed, None if heard_offline is None else offline), differences


def transcribe_offline(clips: Iterable[Clip], model: str) -> dict[Path, str]:
    """What faster-whisper hears with the same weights."""
    clips = list(clips)
    if not clips:
        return {}
    transcribe = transcriber(model)
    heard: dict[Path, str] = {}
    for clip in clips:
        audio = np.frombuffer(clip.pcm, "<i2").astype(np.float32) / 32768
        heard[clip.path] = transcribe(soxr.resample(audio, clip.sample_rate, SPEECH_RATE))
    return heard
