"""What a model is told of what it will hear."""

from typing import Any

import pytest

from turnwire.recognition import RecognitionOptions
from turnwire.speech.hinting import hint


def letters(text: str) -> list[int]:
    return list(map(ord, text))


def told(**options: Any) -> str:
    """What the model reads, if every letter is a token."""
    return "".join(map(chr, hint(RecognitionOptions(vad_threshold=0.5, **options), letters)))


def test_who_says_nothing_tells_nothing() -> None:
    assert told(prompt=" ", keyterms=()) == ""


def test_everything_that_was_said_is_one_text() -> None:
    assert told(prompt="A help desk.", keyterms=("Ogg", "Vorbis"), agent_context="Which file?") == (
        " A help desk. Glossary: Ogg, Vorbis. Which file?"
    )


def test_the_first_terms_count_if_there_are_too_many() -> None:
    heard = told(keyterms=tuple(f"term{number}" for number in range(100)))
    assert heard.startswith(" Glossary: term0, term1,")
    assert heard.endswith(".")
    assert len(heard) <= 64


@pytest.mark.parametrize(("name", "end"), [("prompt", " a b"), ("agent_context", "y z")])
def test_of_a_long_text_the_nearer_end_to_its_purpose_is_kept(name: str, end: str) -> None:
    text = "a b " + "so " * 500 + "y z"
    heard = told(**{name: text})
    assert len(heard) == 48
    assert end in (heard[:4], heard[-3:])
