"""What of a decoder's text was spoken: a row of filters over its words, and a judgement of it.

Whisper makes text of anything. It goes on after the voice has ended, repeats itself, and has
phrases at hand for what it cannot make out. Each filter knows one of these habits. What is left
of a final text is judged twice: the first time in doubt, or where it may be no speech, it is
decoded again, more thoroughly; the second time it is dropped, or stands but tells later windows
nothing.
"""

import itertools
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from turnwire.recognition import Language, plain
from turnwire.speech.decoding import DecodedWord
from turnwire.speech.languages import LanguageEvidence
from turnwire.writing import text_of

Words = Sequence[DecodedWord]

_CROWD = 3
"""So many words that begin at the same moment were not spoken."""

_LETTER = 0.5
"""How much of a word one is that has no space before or behind it: a letter, more or less."""

_LOOP = 6
"""So many times in a row the same syllable or phrase is not said. Four are: speech has them."""

_LONGEST_PHRASE = 16
"""Units of a phrase that may make a loop; a letter is one where words have no spaces between."""

_SYLLABLES = re.compile(rf"([^\W\d_]{{2,8}}?)\1{{{_LOOP - 1},}}")
"""A loop without hyphens, of letters: figures may well be all the same."""

_SPOKEN_SIGNS = "&%$+"
"""Signs that are read out, unlike all others without a letter or a digit beside them."""

_BAD_COMPRESSION = 2.0
_BAD_LOGPROB = -1.0
_NO_SPEECH = 0.6
"""Whisper's own rule: no speech if this is as likely and the text is improbable."""

_DOUBTED_WORD = 0.03
_DOUBTED_LOGPROB = -0.8
_DOUBTED_NO_SPEECH = 0.1
"""A phrase for something that cannot be made out begins with a word below the first, and shows
the other two signs. Any one alone is found in speech with noise too."""


@dataclass(frozen=True, slots=True)
class DecodeAttempt:
    """What the decoder made of a window."""

    tokens: list[int]
    logprob: float
    """Mean log-probability of a token."""
    no_speech: float
    """How likely it is that nothing was said."""
    capped: bool
    """The decoder was stopped before it found the end."""
    language: Language
    heard: LanguageEvidence | None
    """What is known of the language with this window; None if that was not asked."""


Filter = Callable[[Words, int], Words]
"""The words that were spoken, of those in a window whose voice ends at so many ms. What a decoder
makes up comes last, as each word is made of those before it: so most filters end the text."""


def drop_repeat_after_voice(words: Words, voice_ms: int) -> Words:
    """Short of speech, a decoder says again what it said: all that, if it goes on after the voice,
    although its first words may find some sound."""
    if not words or words[-1].start < voice_ms:
        return words
    texts = [plain(word.text) for word in words]
    for count in range(1, len(words) // 2 + 1):
        if texts[-count:] == texts[-2 * count : -count]:
            return drop_repeat_after_voice(words[:-count], voice_ms)
    return words


def end_with_voice(words: Words, voice_ms: int) -> Words:
    """A word that begins after the voice was not spoken, nor were those that follow it."""
    late = (i for i, word in enumerate(words) if word.start >= voice_ms)
    return words[: next(late, None)]


def end_before_crowd(words: Words, voice_ms: int) -> Words:
    """Words that crowd at one moment found no sound of their own."""
    joined = [*(word.joined for word in words), False]
    at = 0
    for _, at_once in itertools.groupby(words, key=lambda word: word.start):
        first, at = at, at + len(tuple(at_once))
        if sum(_LETTER if joined[i] or joined[i + 1] else 1 for i in range(first, at)) >= _CROWD:
            return words[:first]
    return words


def drop_stutter(words: Words, voice_ms: int) -> Words:
    """Words at the end only repeat those before them, too fast to have been spoken."""
    for count in range(len(words) // 2, 0, -1):
        said, again = words[-2 * count : -count], words[-count:]
        same = all(plain(a.text) == plain(b.text) for a, b in zip(said, again, strict=True))
        if count == 1 and again[0].joined:
            continue  # A letter twice is a word, such as 谢谢, and its second is often short.
        if same and 2 * (again[-1].end - again[0].start) < said[-1].end - said[0].start:
            return words[:-count]
    return words


def drop_signs(words: Words, voice_ms: int) -> Words:
    """A word has a letter or a digit, or is a sign that is read out."""
    return [word for word in words if _is_word(word.text)]


FILTERS: tuple[Filter, ...] = (
    drop_repeat_after_voice,
    end_with_voice,
    end_before_crowd,
    drop_stutter,
    drop_signs,
)
"""All filters, in the order in which they are applied."""


def spoken(words: Words, voice_ms: int) -> Words:
    """The words that all filters leave."""
    for left_by in FILTERS:
        words = left_by(words, voice_ms)
    return words


def _is_word(text: str) -> bool:
    return any(letter.isalnum() or letter in _SPOKEN_SIGNS for letter in text)


def says_nothing(attempt: DecodeAttempt) -> bool:
    """Whether the window holds no speech, whatever the text."""
    return attempt.no_speech > _NO_SPEECH and attempt.logprob < _BAD_LOGPROB


def may_say_nothing(attempt: DecodeAttempt) -> bool:
    """Whether the window may hold no speech: more of it may show that it does not."""
    return attempt.no_speech > _NO_SPEECH


def is_doubtful(attempt: DecodeAttempt, words: Words) -> bool:
    """Whether a text seems to be a phrase for a voice that cannot be made out."""
    return (
        bool(words)
        and words[0].confidence < _DOUBTED_WORD
        and attempt.logprob < _DOUBTED_LOGPROB
        and attempt.no_speech > _DOUBTED_NO_SPEECH
    )


def looks_bad(attempt: DecodeAttempt, words: Words) -> bool:
    """Whether a text is improbable, goes on and on, or repeats itself; what it repeats too fast
    has been taken out of it already."""
    complete = sum(len(word.tokens) for word in words) == len(attempt.tokens)
    written = text_of((word.text, word.joined) for word in words).encode()
    return (
        (attempt.capped and complete)
        or attempt.logprob < _BAD_LOGPROB
        or len(written) / len(zlib.compress(written)) > _BAD_COMPRESSION
        or next(_loops(_units(words)), None) is not None
    )


def without_loops(words: Words) -> tuple[DecodedWord, ...]:
    """The words with what they repeat in a loop said once."""
    units = _units(words)
    while loop := next(_loops(units), None):
        first, count, times = loop
        del units[first + count : first + count * times]
    left: list[DecodedWord] = []
    for index, group in itertools.groupby(units, key=lambda unit: unit.word):
        word, text = words[index], "".join(unit.text for unit in group)
        if text != word.text:
            # Cut, it is no longer what its tokens say.
            word = replace(word, text=text.rstrip("-"), tokens=())
        left.append(word)
    return tuple(left)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A word, or what of it stands between two hyphens, or one of the syllables that it repeats."""

    text: str
    word: int


def _units(words: Words) -> list[_Unit]:
    return [
        _Unit(part, i)
        for i, word in enumerate(words)
        for piece in re.findall(r"[^-]+-*|^-+", word.text)
        for part in _syllables(piece)
    ]


def _syllables(text: str) -> list[str]:
    """A text that repeats a syllable in a loop, taken apart there."""
    loop = _SYLLABLES.search(text)
    if loop is None:
        return [text]
    before, after = text[: loop.start()], text[loop.end() :]
    said = [loop[1]] * (len(loop[0]) // len(loop[1]))
    return [part for part in (before, *said, after) if part]


def _loops(units: Sequence[_Unit]) -> Iterator[tuple[int, int, int]]:
    """Where the same units come `_LOOP` times in a row or more: the first of them, how many they
    are, and how many times they come."""
    texts = [plain(unit.text) for unit in units]
    for count in range(1, _LONGEST_PHRASE + 1):
        run = 0
        for i in range(count, len(texts) + 1):
            if i < len(texts) and texts[i] == texts[i - count]:
                run += 1
                continue
            times = run // count + 1
            if times >= _LOOP:
                yield i - count - run, count, times
            run = 0
