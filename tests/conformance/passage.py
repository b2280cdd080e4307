"""What the clients are spoken to with, and whether they heard it."""

from collections.abc import Iterator, Sequence

import numpy as np
from assemblyai.streaming.v3 import DualChannelTurnEvent

from tests.recordings import BECKETT_TEXT, samples
from turnwire.bench.scoring import word_errors

AUDIO, RATE = samples("beckett.wav")

STEP = RATE // 20

CHUNKS = [AUDIO[start : start + STEP].tobytes() for start in range(0, len(AUDIO), STEP)]
"""The passage in messages of 50 ms."""

NEARLY_ALL_MS = 7000
"""Only words of its last two sentences end later."""

SILENCE = bytes(2 * STEP)
"""50 ms of it."""


def assert_heard(*texts: str) -> None:
    """That these texts together are what is said in the passage; one word may be wrong."""
    errors, words = word_errors(BECKETT_TEXT, " ".join(texts))
    assert words == 12
    assert errors <= 1, texts


# The passage as a conversation: two people speak in turns, each into a microphone of their own.

_CHANGES = (3.15, 4.55, 6.15, 7.8)
"""Seconds after which the other one speaks."""

_SAID_BY_ONE = "Ever tried. Ever failed. Try again. Fail better."
_SAID_BY_TWO = "No matter. Fail again."


def channels() -> Iterator[tuple[bytes, bytes]]:
    """What both microphones pick up, 50 ms after 50 ms."""
    speakers = np.searchsorted(_CHANGES, np.arange(len(AUDIO)) / RATE, side="right") % 2
    one, two = np.where(speakers == 0, AUDIO, 0), np.where(speakers == 1, AUDIO, 0)
    for start in range(0, len(AUDIO), STEP):
        yield one[start : start + STEP].tobytes(), two[start : start + STEP].tobytes()


def assert_told_apart(turns: Sequence[DualChannelTurnEvent], *, one: str, two: str) -> None:
    """That the words of the finished turns have the channels that they were said into."""
    words = [word for turn in turns if turn.turn_is_formatted for word in turn.words]
    assert {word.channel for word in words} == {one, two}
    for channel, text in ((one, _SAID_BY_ONE), (two, _SAID_BY_TWO)):
        heard = " ".join(word.text for word in words if word.channel == channel)
        errors, _ = word_errors(text, heard)
        assert errors <= 1, (channel, heard)
