from dataclasses import replace
from itertools import pairwise

import pytest

from tests.client.servers import turn
from turnwire.cli.captions import LINE_CHARACTERS, LONGEST_MS, Cue, cues
from turnwire.client.messages import Turn

DICKENS = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the "
    "age of foolishness. It was the epoch of belief, it was the epoch of incredulity; it was the "
    "season of Light, it was the season of Darkness."
)


def texts(turn: Turn) -> list[str]:
    return [cue.text for cue in cues(turn)]


def test_a_short_turn_is_one_cue_with_the_times_of_its_words() -> None:
    assert cues(turn("Lights off.", start=1200)) == [Cue(1200, 1900, "Lights off.")]


def test_a_turn_without_words_has_no_cue() -> None:
    assert cues(turn("")) == []


@pytest.mark.parametrize("text", [DICKENS, DICKENS.replace(",", ""), "word " * 60])
def test_nothing_is_too_long_to_read_and_nothing_is_lost(text: str) -> None:
    pieces = cues(turn(text))
    assert " ".join(" ".join(piece.text.split("\n")) for piece in pieces) == text.strip()
    for piece in pieces:
        lines = piece.text.split("\n")
        assert len(lines) <= 2
        assert max(map(len, lines)) <= LINE_CHARACTERS
        assert 0 < piece.end - piece.start <= LONGEST_MS
    for before, after in pairwise(pieces):
        assert before.end <= after.start


def test_two_lines_are_of_much_the_same_length() -> None:
    assert texts(turn("It was the age of wisdom, it was the age of folly.")) == [
        "It was the age of wisdom,\nit was the age of folly."
    ]


def test_a_cue_had_better_end_with_a_sentence_or_else_at_a_comma() -> None:
    assert texts(turn(DICKENS)) == [
        "It was the best of times,\nit was the worst of times,",
        "it was the age of wisdom,\nit was the age of foolishness.",
        "It was the epoch of belief,\nit was the epoch of incredulity;",
        "it was the season of Light,\nit was the season of Darkness.",
    ]


def test_a_sentence_may_end_in_a_quotation_mark() -> None:
    spoken = "He said to all of them “come over and stay.” And so they did, with bag and baggage."
    assert texts(turn(spoken))[0].endswith("stay.”")


def test_slow_speech_is_cut_by_time() -> None:
    slow = turn("one two three")
    words = tuple(
        replace(word, start=3000 * index, end=3000 * index + 2500)
        for index, word in enumerate(slow.words)
    )
    pieces = cues(replace(slow, words=words))
    assert pieces == [Cue(0, 5500, "one two"), Cue(6000, 8500, "three")]


def test_a_word_that_fits_nowhere_is_a_cue_of_its_own() -> None:
    endless = "Do" + "nau" * 20
    assert texts(turn(f"the {endless} ship")) == ["the", endless, "ship"]


def test_a_cue_takes_some_time_even_if_its_word_took_none() -> None:
    one = turn("one")
    word = replace(one.words[0], start=700, end=700)
    assert cues(replace(one, words=(word,))) == [Cue(700, 701, "one")]
