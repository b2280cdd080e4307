"""The rules that captions follow: Netflix's Timed Text Style Guide.

A caption has one line or two. It lasts from 5/6 s to 7 s, and two frames pass before the next one.
How long a line may be and how fast it may have to be read is a matter of its script. Duration and
speed give way where the next words leave no room.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from turnwire import writing
from turnwire.writing import text_of

LONGEST_MS = 7000
SHORTEST_MS = 834
"""5/6 s."""
GAP_MS = 84
"""Two frames, at 24 a second."""


@dataclass(frozen=True, slots=True)
class Script:
    """What a writing asks of captions."""

    line_characters: int
    characters_a_second: int
    wide: bool = False
    """Whether its characters are as wide as two Latin ones, of which each counts half then."""

    def count(self, text: str) -> float:
        """How many characters a text has."""
        if not self.wide:
            return len(text)
        return sum(1.0 if east_asian_width(letter) in "WF" else 0.5 for letter in text)

    def reading_ms(self, text: str) -> int:
        """How long a text takes to read."""
        return math.ceil(1000 * self.count(text) / self.characters_a_second)


LATIN = Script(42, 21)
"""The general requirements. Of the reading speeds in use the most common is taken, that of TED's
guidelines."""

# From the guides for these languages, as far as known: they were not at hand to be looked up. That
# of Japanese is for translations, which say less than was said: what is spoken seldom keeps to it.
JAPANESE = Script(13, 4, wide=True)
CHINESE = Script(16, 9, wide=True)
KOREAN = Script(16, 12, wide=True)
THAI = Script(35, 17)

_SCRIPTS = {
    "[\u3041-\u30fa\u30fc-\u30ff]": JAPANESE,  # without ・, which Chinese has in names
    "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]": CHINESE,
    "[\uac00-\ud7af]": KOREAN,
    # The others of Southeast Asia, too: no guide for them is known.
    f"[{writing.SOUTHEAST_ASIAN}]": THAI,
}

_LEAST_SHARE = 0.1
"""Of all letters: fewer are a name or a quotation amid another script."""

SENTENCE_ENDS, CLAUSE_ENDS = f"{writing.SENTENCE_ENDS}…", ",;:—、，；：،"
"""Where captions and lines had better end, best first."""

_CLOSING_QUOTES = "\"'”’»)」』）】》"

_NATURAL_BREAK = 10 / 42
"""How much of a line lines may differ more by if the first ends with a clause."""


def script_of(text: str) -> Script:
    """The script of a text, by the rarest letters in it: Japanese has Chinese ones as well."""
    least = max(_LEAST_SHARE * sum(map(str.isalnum, text)), 1)
    for letters, script in _SCRIPTS.items():
        if len(re.findall(letters, text)) >= least:
            return script
    return LATIN


def lines(words: Sequence[tuple[str, bool]], script: Script) -> str | None:
    """The words on one line, or on two of much the same length; None if they do not fit.

    Each is given with whether no space goes before it.
    """
    text = text_of(words)
    if script.count(text) <= script.line_characters:
        return text
    splits = [(text_of(words[:at]), text_of(words[at:])) for at in range(1, len(words))]
    fitting = [pair for pair in splits if max(map(script.count, pair)) <= script.line_characters]
    if not fitting:
        return None
    first, second = min(fitting, key=lambda pair: _imbalance(pair, script))
    return f"{first}\n{second}"


def ends_with(word: str, marks: str) -> bool:
    """Whether a word ends with one of these marks, perhaps in quotation marks."""
    return word.rstrip(_CLOSING_QUOTES).endswith(tuple(marks))


def end(start: int, spoken_until: int, reading_ms: int, following: int | None) -> int:
    """When a caption ends that begins at `start`, before the next one at `following`; in ms."""
    wanted = max(spoken_until, start + SHORTEST_MS, start + reading_ms)
    latest = start + LONGEST_MS
    if following is not None:
        latest = min(latest, following - GAP_MS)
    # Players pass over a caption that takes no time.
    return max(min(wanted, latest), start + 1)


def _imbalance(pair: tuple[str, str], script: Script) -> float:
    first, second = pair
    natural = ends_with(first, SENTENCE_ENDS + CLAUSE_ENDS)
    difference = abs(script.count(first) - script.count(second))
    return difference - (_NATURAL_BREAK * script.line_characters if natural else 0)
