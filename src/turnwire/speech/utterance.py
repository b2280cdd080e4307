"""The words of an utterance, from decode to decode.

An utterance's audio is decoded as one *window* that grows with the speech. Where it grows long,
or after a long silence, the words at its front are *kept*: their audio is not decoded again.
While speech goes on, only the *tail* of the window is decoded: what comes after the words that
two decodes agreed on.
"""

import itertools
from collections.abc import Iterable

from turnwire.recognition import ENGLISH, Language, Word
from turnwire.speech.agreement import Agreement
from turnwire.speech.decoding import DecodedWord, Text
from turnwire.speech.holes import with_all_the_voice
from turnwire.writing import SENTENCE_ENDS

_OVERLAP = 2
"""Words before the tail that are decoded with it: they say where it goes on, and hold what is left
of them in its audio. Of those without spaces between them, two count as one."""


class Utterance:
    """What was said since the last cut. All times are on the stream's audio clock."""

    def __init__(self) -> None:
        self._kept: tuple[DecodedWord, ...] = ()
        self._agreement = Agreement()
        self._window: tuple[DecodedWord, ...] = ()
        self._completeness = 0.0
        self._language = ENGLISH
        self._spoken = ENGLISH  # the language of the last decode that had words

    @property
    def words(self) -> tuple[Word, ...]:
        """All words, as last heard."""
        return tuple(
            Word(word.text, word.start, word.end, word.confidence, word.joined)
            for word in (*self._kept, *self._window)
        )

    @property
    def window(self) -> tuple[DecodedWord, ...]:
        """The words of the window, as last heard."""
        return self._window

    @property
    def until(self) -> int:
        """When the last word ends; 0 without words."""
        return self._window[-1].end if self._window else self._kept_end

    @property
    def stable(self) -> int:
        """How many of the words will not change any more."""
        return len(self._kept) + len(self._agreement.stable)

    @property
    def completeness(self) -> float:
        """How likely a sentence ends after the last word; holds once the window is settled."""
        return self._completeness

    @property
    def language(self) -> Language:
        """That of the last words; holds once the window is settled."""
        return self._language

    @property
    def _kept_end(self) -> int:
        return self._kept[-1].end if self._kept else 0

    @property
    def kept_tokens(self) -> tuple[int, ...]:
        """The tokens of the trusted words before the window."""
        return _context(self._kept)

    @property
    def tokens(self) -> tuple[int, ...]:
        """The tokens of all trusted words."""
        return _context((*self._kept, *self._window))

    @property
    def before_tail(self) -> int:
        """How many words of the window come before its tail, which is still in doubt."""
        before, overlap = self._agreement.agreed, 0.0
        while before and overlap < _OVERLAP:
            before -= 1
            overlap += 0.5 if self._window[before].joined else 1.0
        return before

    @property
    def tail_prefix(self) -> tuple[int, ...]:
        """The tokens that the tail begins with."""
        return _tokens(self._window[self.before_tail : self._agreement.agreed])

    def hear(self, tail: Text, audio_end: int) -> None:
        """Take a decode of the tail up to `audio_end` ms, while speech goes on."""
        if tail.words:
            self._spoken = tail.language
        agreed = self._agreement.agreed
        words = (*self._window[:agreed], *tail.words[agreed - self.before_tail :])
        self._window = self._agreement.update(
            words, audio_end, self._kept_end, doubted=tail.doubted or not tail.words
        )

    def settle(self, text: Text, audio_end: int) -> None:
        """Take a decode of the window made where the speech paused, of audio up to `audio_end`."""
        if text.words:
            self._spoken = text.language
        self._window = self._agreement.update(text.words, audio_end, self._kept_end, final=True)
        if self._window:
            # Maybe stable words alone, of which this decode says nothing.
            self._completeness = text.completeness
            self._language = self._spoken

    def end_with_voice(self, voice_end: int) -> None:
        """Give the last word what is left of the voice, which ends at `voice_end` ms.

        Not before its words are compared with the stable ones: they are compared by their ends.
        """
        self._window = with_all_the_voice(self._window, voice_end)

    def keep(self, count: int | None = None) -> None:
        """Leave the first words of the window, or all, as they are from now on."""
        if count is None:
            count = len(self._window)
        self._kept += self._window[:count]
        self._window = self._window[count:]
        self._agreement.forget(count)

    def sentence_end(self) -> int:
        """How many words of the window end with its last stable sentence that another follows."""
        ends = (
            i + 1
            for i in reversed(range(len(self._agreement.stable)))
            if self._window[i].text.endswith(tuple(SENTENCE_ENDS)) and i + 1 < len(self._window)
        )
        return next(ends, 0)

    def widest_gap(self, before: int) -> int:
        """How many words of the window come before its widest gap that ends before `before` ms."""
        gaps = [
            (right.start - left.end, i + 1)
            for i, (left, right) in enumerate(itertools.pairwise(self._window))
            if right.start < before
        ]
        return max(gaps, default=(0, 0))[1]

    def gap(self, count: int) -> tuple[int, int]:
        """Between which times the first `count` words of the window end and the next begins."""
        return self._window[count - 1].end, self._window[count].start


def _context(words: Iterable[DecodedWord]) -> tuple[int, ...]:
    return _tokens(word for word in words if word.trusted)


def _tokens(words: Iterable[DecodedWord]) -> tuple[int, ...]:
    return tuple(token for word in words for token in word.tokens)
