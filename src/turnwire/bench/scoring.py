"""Word error rate, with what is only a matter of spelling taken out of both sides."""

import re

import inflect
import jiwer

_TAG = re.compile(r"<[^>]*>|\[[^\]]*\]")
_YEAR = re.compile(r"\b1[1-9]\d\d\b")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_LONG_NUMBER = re.compile(r"\d{5,}(?<!000)\b")
_NUMBER = re.compile(r"\d+")
_NOT_WORD = re.compile(r"[^a-z' ]")
_DROPPED = {"uh", "um"}
_UNIFIED = {
    "gonna": "going to",
    "kinda": "kind of",
    "mister": "mr",
    "ok": "okay",
}

_inflect = inflect.engine()


def normalise(text: str) -> str:
    """`text` in lower case and without punctuation, tags and fillers, its figures spelled out."""
    text = _TAG.sub(" ", text.lower()).replace("’", "'")
    text = _THOUSANDS.sub("", text)
    text = _LONG_NUMBER.sub(lambda found: _spelled(found[0], group=1), text)
    text = _YEAR.sub(lambda found: _spelled(found[0], group=2), text)
    text = _NUMBER.sub(lambda found: _spelled(found[0], group=0), text)
    words = _NOT_WORD.sub(" ", text.replace("-", " ")).replace("'", "").split()
    return " ".join(_UNIFIED.get(word, word) for word in words if word not in _DROPPED)


def word_errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """How many words are wrong, missing or too many, and how many the reference has."""
    reference, hypothesis = normalise(reference), normalise(hypothesis)
    outcome = jiwer.process_words(reference, hypothesis)
    errors = outcome.substitutions + outcome.deletions + outcome.insertions
    return errors, len(reference.split())


def _spelled(figures: str, group: int) -> str:
    # "zero" and "and" as people say them: 1,005 is "one thousand five" on both sides.
    words = _inflect.number_to_words(figures, group=group, andword="", zero="zero")
    return f" {words} "
