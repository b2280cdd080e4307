"""Which words of a text that is still being spoken will not change any more.

LocalAgreement-2: a word is agreed on once two decodes in a row have it, and all before it; one that
was put back from the first of them (`holes`) counts as in both. It is stable if all before it are,
and if the decoder is sure of it; the older it is, the less sure. So a single doubtful word holds
the live text back for a moment, not until the speaker pauses. What a final decode says, which hears
all of the window and the pause after it, counts as much as two others agreeing. Live text begins
early: less is asked of the first word.
"""

import math
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

AGREED_FIRST: Asked = ((0, 0.5), (2000, 0.0))
"""The same of the first word, which nothing before it makes likely: one that two decodes agree on
is right more often than others that the decoder is sure of."""

SETTLED: Asked = ((1000, 0.0),)
"""Of a word after the first that a final decode has, whatever the one before it had."""

SETTLED_FIRST: Asked = ((2000, 0.0),)
"""The same of the first word."""

ALONE: Asked = ((4000, 0.0),)
"""Of a word that the last decode alone has, but that the one before could have had. Live text never
stands still, so anything is stable at last. Sooner, such words are wrong too often, clean speech
included: "that was the epoch" where "it was the epoch" was said."""

ALONE_FIRST: Asked = ((700, 0.85), *ALONE)
"""The same of the first word, where the decode before has another."""

FIRST: Asked = ((0, 0.75), (HOLD_BACK_MS, 0.55), *ALONE)
"""The same where the decode before has none, so that nothing speaks against it."""

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


def _sureness(words: Sequence[DecodedWord], index: int) -> float:
    """How sure the decoder is of a word. What the words before the others do for these, the second
    does for the first: one that was not said makes it improbable."""
    sure = words[index].confidence
    if index == 0 and len(words) > 1:
        return math.sqrt(sure * words[1].confidence)
    return sure


class Agreement:
    """The stable words of one window, over its successive decodes."""

    def __init__(self) -> None:
        self.stable: tuple[DecodedWord, ...] = ()
        self.agreed = 0
        """How many words were agreed on, the stable ones included."""
        self._previous: Sequence[DecodedWord] = ()
        self._decoded = 0  # where the audio of the previous decode ended

    def update(
        self,
        words: Sequence[DecodedWord],
        audio_end: int,
        after: int = 0,
        *,
        doubted: bool = False,
        final: bool = False,
    ) -> tuple[DecodedWord, ...]:
        """Take the next decode of audio that ends at `audio_end` ms; gives the words to report.

        None of them is spoken before `after` ms. Where the decode is `doubted`, no more are stable;
        where it is `final`, more.
        """
        words = _in_order(restate(words, self.stable), after)
        stable = len(self.stable)
        while (
            not doubted
            and stable < len(words)
            and self._is_stable(words, stable, audio_end, final=final)
        ):
            stable += 1
        agreed = stable
        while agreed < len(words) and self._is_agreed(words[agreed], agreed, audio_end):
            agreed += 1
        self.stable, self.agreed = words[:stable], agreed
        self._previous, self._decoded = words, audio_end
        return words

    def _is_stable(
        self, words: Sequence[DecodedWord], index: int, audio_end: int, *, final: bool
    ) -> bool:
        """Whether the word at `index` is, as all before it are."""
        word = words[index]
        asked = self._asked(word, index, audio_end)
        if final:
            asked = (*asked, *(SETTLED if index else SETTLED_FIRST))
        age, sure = audio_end - word.end, _sureness(words, index)
        return any(age >= heard and sure >= enough for heard, enough in asked)

    def _is_agreed(self, word: DecodedWord, index: int, audio_end: int) -> bool:
        """Whether the decode before has this word, too, if it has all before it."""
        before = self._previous[index : index + 1]
        same = any(plain(word.text) == plain(other.text) for other in before)
        return same and word.end <= audio_end - HOLD_BACK_MS

    def _asked(self, word: DecodedWord, index: int, audio_end: int) -> Asked:
        """What is asked of the word at `index`; no sureness is enough where that is empty."""
        if self._is_agreed(word, index, audio_end):
            return AGREED if index else AGREED_FIRST
        if index == 0:
            return ALONE_FIRST if self._previous else FIRST
        return ALONE if word.end <= self._decoded else ()

    def forget(self, count: int) -> None:
        """Leave out the first `count` words: the window no longer holds them."""
        self.stable = self.stable[count:]
        self.agreed = max(self.agreed - count, 0)
        self._previous = self._previous[count:]
