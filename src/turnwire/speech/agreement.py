"""Which words of a text that is still being spoken will not change any more.

LocalAgreement-2: a word is agreed on once two decodes in a row have it, and all before it. It is
stable if all before it are, and if the decoder is sure of it; the older it is, the less sure. So a
single doubtful word holds the live text back for a moment, not until the speaker pauses. Live text
begins early: less is asked of the first word.
"""

from collections.abc import Sequence
from dataclasses import replace

from turnwire.recognition import plain
from turnwire.speech.decoding import DecodedWord

HOLD_BACK_MS = 400
"""Words that end this close to the end of the audio may yet turn out to be other words."""

Asked = Sequence[tuple[int, float]]
"""What is asked of a word to be stable: when so many ms were heard after it, so much confidence."""

AGREED: Asked = ((0, 0.7), (2000, 0.0))
"""Of a word that two decodes agree on."""

AGREED_FIRST: Asked = ((0, 0.4), (1000, 0.0))
"""The same of the first word, which nothing before it makes likely: one that two decodes agree on
is right more often than others that the decoder is sure of."""

ALONE: Asked = ((4000, 0.0),)
"""Of a word that the last decode alone has, but that the one before could have had. Live text never
stands still, so anything is stable at last. Sooner, such words are wrong too often, clean speech
included: "that was the epoch" where "it was the epoch" was said."""

ALONE_FIRST: Asked = ((700, 0.7), *ALONE)
"""The same of the first word: the first decode had so little audio that the second often is the
first to hear it well."""

_OFF_MS = 400
"""The times that two decodes give a word differ by less than this."""


def begins_with(words: Sequence[DecodedWord], stable: Sequence[DecodedWord]) -> bool:
    """Whether `words` repeat the `stable` ones, case and punctuation apart."""
    return len(words) >= len(stable) and all(
        plain(word.text) == plain(fixed.text) for word, fixed in zip(words, stable, strict=False)
    )


def restate(words: Sequence[DecodedWord], stable: Sequence[DecodedWord]) -> tuple[DecodedWord, ...]:
    """`words`, with the `stable` ones for what they say of the same time if they differ.

    What they say after it begins after the last stable word, where they have it too.
    """
    if not stable or begins_with(words, stable):
        return tuple(words)
    last = stable[-1]
    again = [
        (abs(word.end - last.end), i)
        for i, word in enumerate(words)
        if plain(word.text) == plain(last.text)
    ]
    off, place = min(again, default=(_OFF_MS, 0))
    if off < _OFF_MS:
        return (*stable, *words[place + 1 :])
    return (*stable, *(word for word in words if word.start + word.end >= 2 * last.end))


def _in_order(words: Sequence[DecodedWord], after: int) -> tuple[DecodedWord, ...]:
    """`words` so that none begins before the one before it ends: they are of several decodes."""
    ordered = []
    for word in words:
        if word.start < after:
            word = replace(word, start=after, end=max(word.end, after))
        ordered.append(word)
        after = word.end
    return tuple(ordered)


def _is_stable(word: DecodedWord, asked: Asked, audio_end: int) -> bool:
    """Whether a word is, if all before it are."""
    age = audio_end - word.end
    return any(age >= heard and word.confidence >= sure for heard, sure in asked)


class Agreement:
    """The stable words of one window, over its successive decodes."""

    def __init__(self) -> None:
        self.stable: tuple[DecodedWord, ...] = ()
        self.agreed = 0
        """How many words were agreed on, the stable ones included."""
        self._previous: Sequence[DecodedWord] = ()
        self._decoded = 0  # where the audio of the previous decode ended

    def update(
        self, words: Sequence[DecodedWord], audio_end: int, after: int = 0, *, doubted: bool = False
    ) -> tuple[DecodedWord, ...]:
        """Take the next decode of audio that ends at `audio_end` ms; gives the words to report.

        None of them is spoken before `after` ms. Where the decode is `doubted`, no more are stable.
        """
        words = _in_order(restate(words, self.stable), after)
        agreed = self._agree(words, audio_end)
        stable = len(self.stable)
        while (
            not doubted
            and stable < len(words)
            and _is_stable(words[stable], self._asked(stable, words[stable], agreed), audio_end)
        ):
            stable += 1
        self.stable = words[:stable]
        self.agreed = max(agreed, stable)
        self._previous, self._decoded = words, audio_end
        return words

    def _agree(self, words: Sequence[DecodedWord], audio_end: int) -> int:
        """How many words this decode and the one before have in common."""
        agreed = len(self.stable)
        for word, before in zip(words[agreed:], self._previous[agreed:], strict=False):
            if plain(word.text) != plain(before.text) or word.end > audio_end - HOLD_BACK_MS:
                break
            agreed += 1
        return agreed

    def _asked(self, index: int, word: DecodedWord, agreed: int) -> Asked:
        """What is asked of the word at `index`; no confidence is enough where that is empty."""
        if index < agreed:
            return AGREED if index else AGREED_FIRST
        if index == 0:
            return ALONE_FIRST
        return ALONE if word.end <= self._decoded else ()

    def forget(self, count: int) -> None:
        """Leave out the first `count` words: the window no longer holds them."""
        self.stable = self.stable[count:]
        self.agreed = max(self.agreed - count, 0)
        self._previous = self._previous[count:]
