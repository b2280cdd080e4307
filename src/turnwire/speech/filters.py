"""What of a decoder's text was spoken: a row of filters over its words, and a judgement of it.

Whisper makes text of anything. It goes on after the voice has ended, repeats itself, and has
phrases at hand for what it cannot make out. Each filter knows one of these habits.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from faster_whisper.tokenizer import Tokenizer

from turnwire.recognition import Language, plain
from turnwire.speech.decoding import Decoded

_CROWD = 3
"""So many words that begin at the same moment were not spoken."""

_BAD_COMPRESSION = 2.0
_BAD_LOGPROB = -1.0
_NO_SPEECH = 0.6
"""Whisper's own rule: no speech if this is as likely and the text is improbable."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the decoder made of a window."""

    tokens: list[int]
    logprob: float
    """Mean log-probability of a token."""
    no_speech: float
    """How likely it is that nothing was said."""
    capped: bool
    """The decoder was stopped before it found the end."""
    language: Language


Filter = Callable[[Sequence[Decoded], int], int]
"""How many of the words, from the first on, were spoken in a window whose voice ends at so many
ms. What a decoder makes up comes last, as each word is made of those before it."""


def before_voice_ends(words: Sequence[Decoded], voice_ms: int) -> int:
    """A word that begins after the voice was not spoken, nor were those that follow it."""
    late = (i for i, word in enumerate(words) if word.start >= voice_ms)
    return next(late, len(words))


def before_crowd(words: Sequence[Decoded], voice_ms: int) -> int:
    """Words that crowd at one moment found no sound of their own."""
    crowds = (
        i
        for i, (word, last) in enumerate(zip(words, words[_CROWD - 1 :], strict=False))
        if word.start == last.start
    )
    return next(crowds, len(words))


def before_stutter(words: Sequence[Decoded], voice_ms: int) -> int:
    """Words at the end only repeat those before them, too fast to have been spoken."""
    for count in range(len(words) // 2, 0, -1):
        said, again = words[-2 * count : -count], words[-count:]
        same = all(plain(a.text) == plain(b.text) for a, b in zip(said, again, strict=True))
        if same and 2 * (again[-1].end - again[0].start) < said[-1].end - said[0].start:
            return len(words) - count
    return len(words)


FILTERS: tuple[Filter, ...] = (before_voice_ends, before_crowd, before_stutter)
"""All filters, in the order in which they are applied."""


def spoken(words: Sequence[Decoded], voice_ms: int) -> Sequence[Decoded]:
    """The words that all filters leave."""
    for spoken_of in FILTERS:
        words = words[: spoken_of(words, voice_ms)]
    return words


def split(tokens: list[int], tokenizer: Tokenizer) -> list[tuple[str, list[int]]]:
    """Words without spaces, each with the punctuation that touches it, and their tokens."""
    words: list[tuple[str, list[int]]] = []
    for text, group in zip(*tokenizer.split_to_word_tokens(tokens), strict=True):
        if words and not text.startswith(" "):
            before, its_tokens = words[-1]
            words[-1] = before + text, its_tokens + group
        else:
            words.append((text.strip(), list(group)))
    return words


def says_nothing(attempt: Attempt) -> bool:
    """Whether the window holds no speech, whatever the text."""
    return attempt.no_speech > _NO_SPEECH and attempt.logprob < _BAD_LOGPROB


def looks_bad(attempt: Attempt, words: Sequence[Decoded]) -> bool:
    """Whether a text is improbable, goes on and on, or repeats itself; what it repeats too fast
    has been taken out of it already."""
    complete = sum(len(word.tokens) for word in words) == len(attempt.tokens)
    written = " ".join(word.text for word in words).encode()
    return (
        (attempt.capped and complete)
        or attempt.logprob < _BAD_LOGPROB
        or len(written) / len(zlib.compress(written)) > _BAD_COMPRESSION
    )
