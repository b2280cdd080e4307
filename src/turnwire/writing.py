"""How words make a text: with spaces between them, or without.

Chinese, Japanese and the languages of mainland Southeast Asia are written without. Of these a word
is a character, or the few that a recogniser heard as one. What is written so, characters tell,
not the language: a name in Latin letters stays one word amid Japanese, and a text may have both.
"""

import re
from collections.abc import Iterable, Sequence
from unicodedata import category

SENTENCE_ENDS = ".?!。？！｡।؟۔።။។"
"""What sentences end with, in the writings that have a mark for it."""

_EAST_ASIAN = (
    "\u2e80-\u312f\u31a0-\u9fff\uf900-\ufaff\ufe30-\ufe4f"
    "\uff00-\uff9f\uffe0-\uffe6"  # wide forms of Latin letters and signs
    "\U00020000-\U0003ffff"
)
_BURMESE = "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"
_KHMER = "\u1780-\u17ff\u19e0-\u19ff"
SOUTHEAST_ASIAN = f"\u0e00-\u0fff{_BURMESE}{_KHMER}"
"""Letters of these, as a set in a regular expression; the first are Thai, Lao and Tibetan."""

_WORDS_TOUCH = re.compile(f"[{_EAST_ASIAN}{SOUTHEAST_ASIAN}]")
_SENTENCES_TOUCH = re.compile(f"[{_EAST_ASIAN}]")

_FULL_STOPS = {
    _SENTENCES_TOUCH: "。",
    re.compile(f"[{_BURMESE}]"): "။",
    re.compile(f"[{_KHMER}]"): "។",
}
"""The marks that end a sentence, by its last letter. Bengali and Amharic have marks of their own,
too, but Whisper's base model takes the full stop for likelier there."""

_SPACES = re.compile(r"\s*")

_GOES_ON = set("ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶーｰ々〻ゝゞヽヾะาำๅๆະາຳຽໆៗ")
"""Letters that only go on with the sound of the one before, or repeat it."""

_BEGINS = set("เแโใไເແໂໃໄ\u1039\u17d2")
"""Vowels written before the consonant that they follow, and signs that stack what comes next."""


def words_touch(before: str, after: str) -> bool:
    """Whether a word follows another without a space, by the letters that meet."""
    return any(_WORDS_TOUCH.match(letter) for letter in (before[-1:], after[:1]))


def sentences_touch(before: str, after: str) -> bool:
    """The same of sentences: in Thai, whose words have no spaces between them, these do."""
    return any(_SENTENCES_TOUCH.match(letter) for letter in (before[-1:], after[:1]))


def full_stop(text: str) -> str:
    """The mark that ends a sentence which ends with this text."""
    marks = (mark for letters, mark in _FULL_STOPS.items() if letters.match(text[-1:]))
    return next(marks, ".")


def is_sign(text: str) -> bool:
    """Whether it is punctuation or symbols alone, perhaps with spaces. A vowel sign is none."""
    return all(category(letter)[0] in "PSZ" for letter in text)


def parts(before: str, after: str) -> bool:
    """Whether a word may begin with `after`, right behind `before`."""
    if not before or not after or not words_touch(before, after):
        return False
    first, last = after[0], before[-1]
    if category(last) in ("Ps", "Pi") or last in _BEGINS:
        return False
    return category(first) in ("Ps", "Pi") or (first.isalnum() and first not in _GOES_ON)


def text_of(words: Iterable[tuple[str, bool]]) -> str:
    """The text that words make, each given with whether no space goes before it."""
    text = ""
    for word, joined in words:
        spaced = text and not joined and not _has_space_of_its_own(text[-1])
        text += f" {word}" if spaced else word
    return text


def _has_space_of_its_own(letter: str) -> bool:
    """Whether it is a mark such as 。, which is as wide as a letter and half empty."""
    return category(letter)[0] == "P" and _SENTENCES_TOUCH.match(letter) is not None


def text_of_sentences(sentences: Iterable[str]) -> str:
    """The text that sentences make."""
    text = ""
    for sentence in sentences:
        text += sentence if not text or sentences_touch(text, sentence) else f" {sentence}"
    return text


def spacing(words: Sequence[str], text: str) -> list[bool]:
    """Which words follow the one before without a space in a text; by the letters that meet, where
    it does not have both."""
    joined, at, found = [False] * len(words), 0, False
    for i, word in enumerate(words):
        start = _SPACES.match(text, at).end()  # type: ignore[union-attr]  # matches none, too
        before, found = found, text.startswith(word, start)
        if before and found:
            joined[i] = start == at
        else:
            joined[i] = i > 0 and words_touch(words[i - 1], word)
        if found:
            at = start + len(word)
    return joined
