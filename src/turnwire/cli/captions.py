"""Captions: a turn cut into pieces that can be read while they are on the screen."""

from collections.abc import Sequence
from dataclasses import dataclass

from turnwire.client import Turn, Word

LINE_CHARACTERS = 42
LONGEST_MS = 7000

_BREAKS = (".?!…", ",;:—")
"""Where a cue had better end, best first."""

_NATURAL_BREAK = 10
"""Characters by which lines may differ more if the first ends with a clause."""

_CLOSING_QUOTES = "\"'”’»)"


@dataclass(frozen=True, slots=True)
class Cue:
    """What is on the screen from `start` to `end`, in ms of the session's audio."""

    start: int
    end: int
    text: str
    """One line, or two."""


def cues(turn: Turn) -> list[Cue]:
    """The turn in order: at most two lines of 42 characters and seven seconds each.

    A word that is longer than that is a cue of its own.
    """
    pieces = []
    words: Sequence[Word] = turn.words
    while words:
        count = _best_end(words, _most(words))
        piece, words = words[:count], words[count:]
        start = piece[0].start
        # Players pass over a cue that takes no time.
        pieces.append(Cue(start, max(piece[-1].end, start + 1), _lines(piece) or piece[0].text))
    return pieces


def _most(words: Sequence[Word]) -> int:
    count = 1
    while count < len(words) and _fits(words[: count + 1]):
        count += 1
    return count


def _fits(words: Sequence[Word]) -> bool:
    return words[-1].end - words[0].start <= LONGEST_MS and _lines(words) is not None


def _best_end(words: Sequence[Word], most: int) -> int:
    if most == len(words):
        return most
    # A cue is not cut below half of what it holds for the sake of a comma.
    for marks in _BREAKS:
        for count in range(most, most // 2, -1):
            if words[count - 1].text.rstrip(_CLOSING_QUOTES).endswith(tuple(marks)):
                return count
    return most


def _lines(words: Sequence[Word]) -> str | None:
    """The words on one line, or on two of much the same length; None if they do not fit."""
    texts = [word.text for word in words]
    splits = [
        (" ".join(texts[:count]), " ".join(texts[count:])) for count in range(1, len(texts) + 1)
    ]
    fitting = [pair for pair in splits if max(map(len, pair)) <= LINE_CHARACTERS]
    if not fitting:
        return None
    # The last split leaves nothing for the second line.
    if fitting[-1][1] == "":
        return fitting[-1][0]
    first, second = min(fitting, key=lambda pair: _imbalance(*pair))
    return f"{first}\n{second}"


def _imbalance(first: str, second: str) -> int:
    natural = first.endswith(tuple("".join(_BREAKS)))
    return abs(len(first) - len(second)) - (_NATURAL_BREAK if natural else 0)
