"""What each session plays: clips and silences, one after another."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from turnwire.bench.clips import FRAMES_PER_S, SPEECH_RATE, Clip, frame_ms, silence


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a session's audio."""

    clip: Clip | None
    """None: silence."""
    frames: Sequence[bytes]
    whole: bool
    """Whether it is all of the clip."""


@dataclass(frozen=True, slots=True)
class SessionAudio:
    """All audio of one session."""

    sample_rate: int
    """Hz"""
    passages: Sequence[Passage]

    @property
    def frames(self) -> Iterator[bytes]:
        return (frame for passage in self.passages for frame in passage.frames)

    @property
    def seconds(self) -> float:
        frames = sum(len(passage.frames) for passage in self.passages)
        return frames * frame_ms(self.sample_rate) / 1000


def alone(clip: Clip) -> SessionAudio:
    """One clip, and nothing else."""
    return SessionAudio(clip.sample_rate, [Passage(clip, clip.frames, whole=True)])


def conversation(clips: Sequence[Clip], seconds: float, duty: float, seed: int) -> SessionAudio:
    """Clips in the order that `seed` gives, for this long, `duty` (0 to 1) of it speech.

    Each is followed by as much silence as that takes. It begins in the middle of the first one:
    sessions that play the same few clips must not pause all at the same time.
    """
    chance = random.Random(seed)
    left = round(seconds * FRAMES_PER_S)
    quiet = silence(SPEECH_RATE)
    passages: list[Passage] = []

    def add(clip: Clip | None, frames: Sequence[bytes]) -> None:
        nonlocal left
        played = frames[:left]
        if played:
            passages.append(Passage(clip, played, clip is not None and played == clip.frames))
            left -= len(played)

    while left:
        for clip in chance.sample(clips, len(clips)):
            frames = clip.frames if passages else clip.frames[chance.randrange(len(clip.frames)) :]
            add(clip, frames)
            add(None, [quiet] * round(len(frames) * (1 - duty) / duty))
    return SessionAudio(SPEECH_RATE, passages)
