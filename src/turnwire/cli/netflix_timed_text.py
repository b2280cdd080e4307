"""The rules that captions follow: Netflix's Timed Text Style Guide, general requirements.

A caption has one line or two, of at most 42 characters. It lasts from 5/6 s to 7 s, and two frames
pass before the next one. Of the reading speeds in use the most common is taken, that of TED's
guidelines: 21 characters a second. Duration and speed give way where the next words leave no room.
"""

import math
from collections.abc import Sequence

LINE_CHARACTERS = 42
LONGEST_MS = 7000
SHORTEST_MS = 834
"""5/6 s."""
GAP_MS = 84
"""Two frames, at 24 a second."""
CHARACTERS_A_SECOND = 21

SENTENCE_ENDS, CLAUSE_ENDS = ".?!…", ",;:—"
"""Where captions and lines had better end, best first."""

_CLOSING_QUOTES = "\"'”’»)"

_NATURAL_BREAK = 10
"""Characters by which lines may differ more if the first ends with a clause."""


def lines(words: Sequence[str]) -> str | None:
    """The words on one line, or on two of much the same length; None if they do not fit."""
    text = " ".join(words)
    if len(text) <= LINE_CHARACTERS:
        return text
    splits = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))]
    fitting = [pair for pair in splits if max(map(len, pair)) <= LINE_CHARACTERS]
    if not fitting:
        return None
    first, second = min(fitting, key=_imbalance)
    return f"{first}\n{second}"


def ends_with(word: str, marks: str) -> bool:
    """Whether a word ends with one of these marks, perhaps in quotation marks."""
    return word.rstrip(_CLOSING_QUOTES).endswith(tuple(marks))


def reading_ms(characters: int) -> int:
    """How long so many characters take to read."""
    return math.ceil(1000 * characters / CHARACTERS_A_SECOND)


def end(start: int, spoken_until: int, characters: int, following: int | None) -> int:
    """When a caption ends that begins at `start`, before the next one at `following`; in ms."""
    wanted = max(spoken_until, start + SHORTEST_MS, start + reading_ms(characters))
    latest = start + LONGEST_MS
    if following is not None:
        latest = min(latest, following - GAP_MS)
    # Players pass over a caption that takes no time.
    return max(min(wanted, latest), start + 1)


def _imbalance(pair: tuple[str, str]) -> int:
    first, second = pair
    natural = ends_with(first, SENTENCE_ENDS + CLAUSE_ENDS)
    return abs(len(first) - len(second)) - (_NATURAL_BREAK if natural else 0)
