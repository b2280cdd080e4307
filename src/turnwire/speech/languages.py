"""Which language a session speaks, by all that was heard of it.

Whisper names a language for any window, and on a second of speech it may name any. So windows are
weighed by how much speech they hold, and a verdict stands until speech of some length speaks
against it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from turnwire.recognition import Language

_ENOUGH_S = 4.0
"""So many seconds of speech in one window count in full, fewer in proportion."""

LITTLE_S = 2.0
"""Windows with less decide nothing alone."""

_KEPT = 0.5
"""What all before counts for beside a window with enough speech: who changes the language is
followed within two sentences."""

_LEAST = math.log(1e-4)
"""No window speaks against a language more than this."""

_COMMON = ("en", "es", "fr", "de", "it", "pt")
"""The languages that clients of universal-streaming-multilingual expect, and"""
_COMMON_LEAD = math.log(4)
"""by how much they are likelier than others before anything was heard."""

_CERTAIN = 0.9


@dataclass(frozen=True, slots=True)
class LanguageEvidence:
    """What was heard so far speaks for each language."""

    scores: Mapping[str, float] = field(default_factory=dict)
    """Log-likelihoods by language code, of those that were ever heard."""

    def with_window(
        self, ranked: Sequence[tuple[str, float]], speech_s: float
    ) -> "LanguageEvidence":
        """This, and a window with so much speech: each language with its probability."""
        weight = min(speech_s / _ENOUGH_S, 1.0)
        kept = 1 - weight * (1 - _KEPT)
        return LanguageEvidence(
            {
                code: kept * self.scores.get(code, 0.0)
                + weight * max(math.log(max(probability, 1e-9)), _LEAST)
                for code, probability in ranked
            }
        )

    def verdict(self, allowed: Sequence[str]) -> Language | None:
        """The likeliest language, of the allowed ones if it knows any; None without evidence."""
        known = {code: score for code, score in self.scores.items() if code in allowed}
        if not known:
            known = {code: score + _lead(code) for code, score in self.scores.items()}
        if not known:
            return None
        best = max(known, key=lambda code: known[code])
        total = sum(math.exp(score - known[best]) for score in known.values())
        return Language(best, 1 / total)

    def other_than(self, written: Language) -> Language | None:
        """What is spoken, if that is certainly another language than is written."""
        verdict = self.verdict(())
        if verdict is None or verdict.confidence < _CERTAIN or verdict.code == written.code:
            return None
        return verdict

    def is_certain(self, allowed: Sequence[str]) -> bool:
        """Whether nothing need be asked again while one sentence is spoken."""
        verdict = self.verdict(allowed)
        return verdict is not None and verdict.confidence >= _CERTAIN


NOTHING_HEARD = LanguageEvidence()


def _lead(code: str) -> float:
    return _COMMON_LEAD if code in _COMMON else 0.0
