"""Speech for which it does not matter where a session begins: loudness says which word it is."""

import itertools
from collections.abc import Sequence

import numpy as np

from tests.support import RATE, quiet
from turnwire.recognition import RecognitionOptions, SpeechEvent
from turnwire.speech.echo import EchoEngine, EchoStream
from turnwire.speech.engine import Samples

_QUIETEST = 2000
_STEP = 100


def spoken(numbers: Sequence[int]) -> bytes:
    """Audio of 250 ms in which `DictationEngine` hears w0, w1, ..."""
    return b"".join(
        np.full(RATE // 4, _QUIETEST + _STEP * number, "<i2").tobytes() for number in numbers
    )


def talk(words: int, *, turn: int = 4, pause_ms: int = 1500) -> bytes:
    """Audio of so many words, with a pause that ends a turn after each `turn` of them."""
    return b"".join(
        spoken(range(first, min(first + turn, words))) + quiet(pause_ms)
        for first in range(0, words, turn)
    )


class DictationEngine(EchoEngine):
    """Hears in each loud quarter of a second the word that its loudness says."""

    def open(self, *, sample_rate: int, options: RecognitionOptions) -> EchoStream:
        return _Stream(["?"], sample_rate)


class _Stream(EchoStream):
    def _listen(self, block: Samples) -> SpeechEvent | None:
        word = (int(block.max()) - _QUIETEST) // _STEP
        self._script = itertools.repeat(f"w{word}")  # type: ignore[assignment]
        return super()._listen(block)
