"""Captions: turns cut into pieces that can be read while they are on the screen.

How long and how wide a caption may be, `netflix_timed_text` says. Where a turn is cut is the
cheapest of all ways to cut it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from turnwire.cli import netflix_timed_text as rules
from turnwire.client import Turn, Word
from turnwire.writing import text_of

_PAUSE_MS = 700
"""A pause of this length is as good a place to cut as the end of a sentence."""

# What makes a cut worse, in cues that it would be worth.
_LEFT_OVER = 100.0  # a cue of one word, out of a turn with more
_HURRIED = 2.0  # for each second that is lacking to read the cue
_AFTER_CLAUSE = 0.3
_AFTER_WORD = 1.0
_WITHIN = 0.3  # for each sentence that ends before the cue does
_UNEVEN = 1.0  # for a cue as long as can be; squared, so that equal cues are cheapest


@dataclass(frozen=True, slots=True)
class Caption:
    """What is on the screen from `start` to `end`, in ms of the session's audio."""

    start: int
    end: int
    text: str
    """One line, or two."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Words of one cue, before it is known how long it may stay."""

    start: int
    spoken_until: int
    text: str
    reading_ms: int


class Captions:
    """Cues of turns as these come. The last one waits for the next turn: it may stay till then."""

    def __init__(self) -> None:
        self._waiting: _Piece | None = None
        self._earliest = 0

    def add(self, turn: Turn) -> list[Caption]:
        """The cues that are complete with this turn."""
        return [cue for piece in _pieces(turn.words) for cue in self._follow(piece)]

    def finish(self) -> list[Caption]:
        """The last cue, if there is one."""
        return self._follow(None)

    def _follow(self, piece: _Piece | None) -> list[Caption]:
        before, self._waiting = self._waiting, piece
        if before is None:
            return []
        start = max(before.start, self._earliest)
        end = rules.end(
            start, before.spoken_until, before.reading_ms, None if piece is None else piece.start
        )
        self._earliest = end + rules.GAP_MS
        return [Caption(start, end, before.text)]


def _pieces(words: Sequence[Word]) -> Iterator[_Piece]:
    script = rules.script_of("".join(word.text for word in words))
    for cut in _cuts(words, script):
        text = _lines(cut, script) or cut[0].text
        yield _Piece(cut[0].start, cut[-1].end, text, script.reading_ms(text))


def _cuts(words: Sequence[Word], script: rules.Script) -> list[Sequence[Word]]:
    """The words in order, cut where it costs least. A word that fits nowhere stands alone."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(words) + 1):
        ways = []
        for start in range(end - 1, -1, -1):
            if start < end - 1 and not _fits(words[start:end], script):
                break
            ways.append((best[start][0] + _cost(words, start, end, script), start))
        best.append(min(ways))
    cuts: list[Sequence[Word]] = []
    end = len(words)
    while end:
        start = best[end][1]
        cuts.insert(0, words[start:end])
        end = start
    return cuts


def _fits(words: Sequence[Word], script: rules.Script) -> bool:
    return words[-1].end - words[0].start <= rules.LONGEST_MS and _lines(words, script) is not None


def _lines(words: Sequence[Word], script: rules.Script) -> str | None:
    return rules.lines([(word.text, word.joined) for word in words], script)


def _cost(words: Sequence[Word], start: int, end: int, script: rules.Script) -> float:
    cue = words[start:end]
    text = text_of((word.text, word.joined) for word in cue)
    cost = 1 + _UNEVEN * (script.count(text) / (2 * script.line_characters)) ** 2
    if len(cue) == 1 < len(words):
        cost += _LEFT_OVER
    cost += _WITHIN * sum(rules.ends_with(word.text, rules.SENTENCE_ENDS) for word in cue[:-1])
    if end < len(words):
        room = words[end].start - rules.GAP_MS - cue[0].start
        wanted = max(rules.SHORTEST_MS, script.reading_ms(text))
        cost += _HURRIED * max(wanted - room, 0) / 1000 + _cut_cost(cue[-1], words[end])
    return cost


def _cut_cost(before: Word, after: Word) -> float:
    if after.start - before.end >= _PAUSE_MS or rules.ends_with(before.text, rules.SENTENCE_ENDS):
        return 0
    return _AFTER_CLAUSE if rules.ends_with(before.text, rules.CLAUSE_ENDS) else _AFTER_WORD
