"""The words of an utterance while its window grows, pauses and is shortened."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.speech.test_agreement import said
from turnwire.recognition import Language
from turnwire.speech.decoding import NOTHING, DecodedWord, Text
from turnwire.speech.utterance import Utterance


def texts(utterance: Utterance) -> str:
    return " ".join(word.text for word in utterance.words)


def heard(*decodes: str) -> Utterance:
    utterance = Utterance()
    for decode in decodes:
        utterance.hear(Text(said(decode), 0.0), 2000)
    return utterance


def test_nothing_said() -> None:
    utterance = Utterance()
    assert (utterance.words, utterance.stable, utterance.completeness) == ((), 0, 0.0)
    utterance.settle(NOTHING, 2000)
    assert (utterance.words, utterance.completeness) == ((), 0.0)


def test_stable_words() -> None:
    utterance = heard("it was", "it was the")
    assert utterance.stable == 2


def test_settled_words_leave_the_stable_ones_as_they_are() -> None:
    utterance = heard("it was", "it was the")
    utterance.settle(Text(said("is was best."), 0.8), 2000)
    assert texts(utterance) == "it was best."
    assert utterance.completeness == 0.8


def test_a_stable_word_that_a_final_text_corrects_is_said_once() -> None:
    """The voice goes on after the word, but that is no room for the same word again."""
    utterance = Utterance()
    utterance.hear(Text((DecodedWord("No", 300, 600, 0.8, (1,)),), 0.0), 800)
    assert utterance.stable == 1
    utterance.settle(Text((DecodedWord("Now", 300, 620, 0.9, (2,)),), 0.8), 1192)
    utterance.end_with_voice(1000)
    assert [(word.text, word.end) for word in utterance.words] == [("No", 1000)]


def test_a_partial_text_that_finds_nothing_makes_no_word_stable() -> None:
    utterance = Utterance()
    for _ in range(2):
        utterance.hear(Text((DecodedWord("so", 0, 300, 0.3, (1,)),), 0.0), 1000)
    assert utterance.stable == 0
    utterance.hear(NOTHING, 5000)
    assert utterance.stable == 0


def test_a_settled_text_counts_for_agreement_when_speech_goes_on() -> None:
    utterance = heard("it was")
    utterance.settle(Text(said("it was the best"), 0.5), 1400)
    assert utterance.stable == 2
    utterance.hear(Text(said("it was the best of"), 0.0), 2000)
    assert utterance.stable == 4


def test_kept_words_stay_in_front() -> None:
    utterance = heard("it was the", "it was the best")
    utterance.keep(2)
    assert (texts(utterance), utterance.stable) == ("it was the best", 3)
    utterance.settle(Text(said("the worst."), 0.9), 2000)
    utterance.keep()
    assert (texts(utterance), utterance.stable) == ("it was the worst.", 4)


def test_completeness_outlives_a_window_that_says_nothing() -> None:
    utterance = Utterance()
    utterance.settle(Text(said("it was."), 0.9), 2000)
    utterance.keep()
    utterance.settle(NOTHING, 2000)
    assert utterance.completeness == 0.9


def test_stable_words_keep_their_language_when_the_window_says_nothing_more() -> None:
    spanish = Language("es", 0.9)
    utterance = Utterance()
    for _ in range(2):
        utterance.hear(Text(said("hola que tal"), 0.0, spanish), 2000)
    utterance.settle(NOTHING, 2000)
    assert texts(utterance) == "hola que tal"
    assert utterance.language == spanish


def test_a_settled_language_stands_when_the_next_decode_says_nothing() -> None:
    french, spanish = Language("fr", 0.6), Language("es", 0.9)
    utterance = Utterance()
    utterance.hear(Text(said("hola"), 0.0, french), 1000)
    utterance.settle(Text(said("hola que tal"), 0.5, spanish), 2000)
    utterance.settle(NOTHING, 3000)
    assert utterance.language == spanish


def test_the_last_stable_sentence_that_another_follows() -> None:
    assert heard("it was. so it", "it was. so it").sentence_end() == 2
    assert heard("it. was. so it", "it. was. so it").sentence_end() == 2
    assert heard("it was.", "it was.").sentence_end() == 0
    assert heard("it was. so").sentence_end() == 0


def test_the_widest_gap() -> None:
    words = (*said("it was"), *(said("x x x the best of")[3:]))
    utterance = Utterance()
    utterance.hear(Text(words, 0.0), 2000)
    assert utterance.widest_gap(before=10_000) == 2
    assert utterance.gap(2) == (400, 600)
    assert utterance.widest_gap(before=100) == 0
    assert Utterance().widest_gap(before=100) == 0


def test_the_tail_is_what_was_not_agreed_on_and_two_words_before_it() -> None:
    utterance = heard("it was the best", "it was the best of times")
    assert utterance.before_tail == 2
    assert utterance.tail_prefix == (2, 3)
    utterance.hear(Text(said("the best of times it"), 0.0), 2000)
    assert texts(utterance) == "it was the best of times it"
    assert utterance.before_tail == 4


def test_of_words_without_spaces_two_are_as_much_as_one_with() -> None:
    words = tuple(replace(word, joined=True) for word in said("き ょ う は い い 天 気"))
    utterance = Utterance()
    for _ in range(2):
        utterance.hear(Text(words, 0.0), 3000)
    assert utterance.before_tail == 4


def test_a_settled_text_with_fewer_words_leaves_no_tail_behind() -> None:
    utterance = Utterance()
    unsure = [replace(word, confidence=0.1) for word in said("uh the the best of times", 80)]
    for _ in range(2):
        utterance.hear(Text(tuple(unsure), 0.0), 1000)
    assert (utterance.stable, utterance.before_tail) == (0, 4)
    utterance.settle(Text(said("the best."), 0.9), 2000)
    utterance.keep()
    utterance.hear(Text(said("it was"), 0.0), 2000)
    assert texts(utterance) == "the best. it was"
    assert utterance.before_tail == 0


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3000)), max_size=12), max_size=6
    ),
    st.integers(0, 6),
)
def test_times_never_overlap(decodes: list[list[tuple[str, int]]], kept: int) -> None:
    """Whatever times decodes give, and wherever words are kept."""
    utterance = Utterance()
    for number, decode in enumerate(decodes):
        words = tuple(DecodedWord(text, at, at + 300, 1.0, (1,)) for text, at in decode)
        if number % 2:
            utterance.settle(Text(words, 0.0), 2000)
        else:
            utterance.hear(Text(words, 0.0), 2000)
        if number == kept:
            utterance.keep()
        assert all(a.end <= b.start for a, b in pairwise(utterance.words))
        assert all(word.start <= word.end for word in utterance.words)
