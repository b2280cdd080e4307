"""Which words of a text that is still being spoken will not change any more.

LocalAgreement-2: a word is agreed on once two decodes in a row have it, and all before it. It is
stable if the decoder is sure of it, and of all before it.
"""

from collections.abc import Sequence

from turnwire.recognition import plain
from turnwire.speech.decoding import Decoded

HOLD_BACK_MS = 400
"""Words that end this close to the end of the audio may yet turn out to be other words."""

SURE_ENOUGH = 0.7
"""A word the decoder gives less than this is not stable, even if it is heard twice."""


def begins_with(words: Sequence[Decoded], stable: Sequence[Decoded]) -> bool:
    """Whether `words` repeat the `stable` ones, case and punctuation apart."""
    return len(words) >= len(stable) and all(
        plain(word.text) == plain(fixed.text) for word, fixed in zip(words, stable, strict=False)
    )


def restate(words: Sequence[Decoded], stable: Sequence[Decoded]) -> tuple[Decoded, ...]:
    """`words` with the `stable` ones put in front where they differ."""
    front = [
        word if plain(word.text) == plain(fixed.text) else fixed
        for word, fixed in zip(words, stable, strict=False)
    ]
    return (*front, *stable[len(front) :], *words[len(stable) :])


class Agreement:
    """The stable words of one window, over its successive decodes."""

    def __init__(self) -> None:
        self.stable: tuple[Decoded, ...] = ()
        self.agreed = 0
        """How many words were agreed on, the stable ones included."""
        self._previous: Sequence[Decoded] = ()

    def update(self, words: Sequence[Decoded], audio_end: int) -> tuple[Decoded, ...]:
        """Take the next decode of audio that ends at `audio_end` ms; gives the words to report."""
        words = restate(words, self.stable)
        stable = self.agreed = len(self.stable)
        for word, before in zip(words[stable:], self._previous[stable:], strict=False):
            agree = plain(word.text) == plain(before.text)
            if not agree or word.end > audio_end - HOLD_BACK_MS:
                break
            if stable == self.agreed and word.confidence >= SURE_ENOUGH:
                stable += 1
            self.agreed += 1
        self.stable = words[:stable]
        self._previous = words
        return words

    def settle(self, words: Sequence[Decoded]) -> tuple[Decoded, ...]:
        """Take a decode that is better than those before; gives the words to report."""
        self.agreed = len(self.stable)
        return restate(words, self.stable)

    def forget(self, count: int) -> None:
        """Leave out the first `count` words: the window no longer holds them."""
        self.stable = self.stable[count:]
        self.agreed = max(self.agreed - count, 0)
        self._previous = self._previous[count:]
