"""An engine without a model: every loud quarter of a second speaks the next word of a script.

For tests, and for measuring all that is not speech recognition. It shows what an engine has to
do, as its stream needs no threads: see the rules in `turnwire.recognition`.
"""

import itertools
from collections.abc import AsyncIterator, Sequence

import numpy as np

from turnwire.recognition import (
    Finished,
    Marked,
    Partial,
    Pause,
    RecognitionOptions,
    SpeechEvent,
    SpeechStarted,
    Word,
)
from turnwire.speech.engine import Samples
from turnwire.speech.inbox import Inbox

COUNTING = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

_LOUD = 1000
"""A block is speech if it has a sample of this amplitude (-30 dB)."""

_BLOCKS_PER_S = 20
_WORD_BLOCKS = 5
_PAUSE_BLOCKS = 2
"""So much quiet is a pause; less of it is part of the speech."""


class EchoStream:
    """Implements `turnwire.speech.engine.Stream`."""

    def __init__(self, script: Sequence[str], sample_rate: int) -> None:
        self._script = itertools.cycle(script)
        self._rate = sample_rate
        self._block = sample_rate // _BLOCKS_PER_S
        self._inbox: Inbox[Samples | type[Marked] | type[Finished]] = Inbox(sample_rate)
        self._closed = False

        self._audio: Samples = np.zeros(0, np.int16)  # taken, but not listened to yet
        self._at = 0  # samples listened to
        self._words: tuple[Word, ...] = ()
        self._loud = 0  # blocks of the word that is being spoken
        self._word_start = 0  # samples
        self._speaking = False
        self._voice_end = 0  # samples; 0 before anyone has spoken
        self._peak = 0.0

    async def feed(self, samples: Samples) -> None:
        await self._inbox.has_room()
        self._inbox.put(samples, len(samples))

    def mark(self) -> None:
        self._inbox.put(Marked)

    def finish(self) -> None:
        self._inbox.put(Finished)

    def cut(self) -> None:
        self._words = ()
        self._loud = 0

    def configure(self, options: RecognitionOptions) -> None:
        """Loudness alone decides what is heard."""

    def voice_peak(self) -> float:
        peak, self._peak = self._peak, 0.0
        return peak

    async def events(self) -> AsyncIterator[SpeechEvent]:
        while True:
            while len(self._audio) >= self._block:
                block, self._audio = self._audio[: self._block], self._audio[self._block :]
                event = self._listen(block)
                if event is not None:
                    yield event
            while not self._inbox and not self._closed:
                self._inbox.wake.clear()
                await self._inbox.wake.wait()
            if self._closed:
                return
            item = self._inbox.take()
            if isinstance(item, type):
                yield item(self._words, self._ms(self._inbox.taken), self._completeness())
                if item is Finished:
                    return
            else:
                self._audio = np.concatenate((self._audio, item)) if len(self._audio) else item

    async def close(self) -> None:
        self._closed = True
        self._inbox.close()

    def _listen(self, block: Samples) -> SpeechEvent | None:
        began = self._at
        self._at += len(block)
        if max(int(block.max()), -int(block.min())) >= _LOUD:
            return self._speak(began)
        silence = self._at - self._voice_end
        if self._voice_end == 0 and silence // self._block % _BLOCKS_PER_S:
            return None  # as long as nobody has spoken, it is told once a second
        if silence < _PAUSE_BLOCKS * self._block:
            return None
        self._speaking = False
        self._loud = 0
        return Pause(
            self._words, self._ms(self._voice_end), self._ms(self._at), self._completeness()
        )

    def _speak(self, began: int) -> SpeechEvent | None:
        self._voice_end = self._at
        self._peak = 1.0
        if self._loud == 0:
            self._word_start = began
        self._loud += 1
        if not self._speaking:
            self._speaking = True
            return SpeechStarted(self._ms(began), 1.0)
        if self._loud < _WORD_BLOCKS:
            return None
        self._loud = 0
        word = Word(next(self._script), self._ms(self._word_start), self._ms(self._at), 1.0)
        self._words += (word,)
        return Partial(self._words, len(self._words) - 1)

    def _completeness(self) -> float:
        if not self._words:
            return 0.0
        return 0.9 if self._words[-1].text.endswith((".", "?", "!")) else 0.1

    def _ms(self, samples: int) -> int:
        return samples * 1000 // self._rate


class EchoEngine:
    """Speaks `script` over and over, whatever is said."""

    def __init__(self, script: Sequence[str] = COUNTING) -> None:
        self._script = script

    @property
    def name(self) -> str:
        return "echo"

    def open(self, *, sample_rate: int, options: RecognitionOptions) -> EchoStream:
        """A new ear; any options are taken, as loudness alone decides what is heard."""
        return EchoStream(self._script, sample_rate)

    def load(self) -> None:
        """Nobody is ever made to wait for it."""

    async def close(self) -> None:
        """There is nothing to stop."""
