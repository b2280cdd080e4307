"""What counts as a word error."""

import pytest

from turnwire.bench.scoring import normalise, word_errors


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("It was the BEST of times,", "it was the best of times"),
        ("uh a <NOISE> cough [adif] um", "a cough"),
        ("10 of clubs", "ten of clubs"),
        ("in 1813", "in eighteen thirteen"),
        ("20,000 men", "twenty thousand men"),
        ("29340", "two nine three four zero"),
        ("I'm gonna", "im going to"),
        ("mister ok", "mr okay"),
        ("ill-disposed — O’Brien", "ill disposed obrien"),
    ],
)
def test_normalise(text: str, normal: str) -> None:
    assert normalise(text) == normal


def test_word_errors() -> None:
    assert word_errors("Four queen of clubs.", "for queen clubs") == (2, 4)
    assert word_errors("Ever tried.", "ever tried") == (0, 2)
