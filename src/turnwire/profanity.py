"""Profane words, masked."""

import re
from functools import cache, lru_cache

import snowballstemmer
from glin_profanity.data.dictionary import dictionary

MASK = "***"

_WORD = re.compile("[A-Za-zÀ-ÖØ-öø-ɏ\u0300-\u036f\u1e00-\u1eff]+")
"""Latin letters alone, and accents: no space parts an English word from Japanese around it."""


def masked(text: str) -> str:
    """The text with a mask for each English word that is profane, in any of its forms."""
    return _WORD.sub(lambda match: MASK if _profane(match[0].lower()) else match[0], text)


@lru_cache(maxsize=4096)
def _profane(word: str) -> bool:
    forms = {word, word.removesuffix("s"), snowballstemmer.stemmer("english").stemWord(word)}
    return not forms.isdisjoint(_words())


@cache
def _words() -> frozenset[str]:
    # What stands there in two words, or disguised in print, is not spoken as one.
    return frozenset(filter(_WORD.fullmatch, dictionary.get_words("english")))
