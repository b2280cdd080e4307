"""Which words become stable, and that they stay so."""

from dataclasses import replace

from turnwire.speech.agreement import Agreement, begins_with, restate
from turnwire.speech.decoding import Decoded


def said(text: str, each: int = 200) -> tuple[Decoded, ...]:
    """The words of `text`, `each` ms long, one after the other."""
    return tuple(
        Decoded(word, i * each, (i + 1) * each, 1.0, (i,)) for i, word in enumerate(text.split())
    )


def texts(words: tuple[Decoded, ...]) -> str:
    return " ".join(word.text for word in words)


def test_nothing_is_stable_after_one_decode() -> None:
    agreement = Agreement()
    assert texts(agreement.update(said("it was the best"), 5000)) == "it was the best"
    assert agreement.stable == ()


def test_words_two_decodes_agree_on_are_stable() -> None:
    agreement = Agreement()
    agreement.update(said("it was the beast of"), 5000)
    agreement.update(said("It was the best of"), 6000)
    assert texts(agreement.stable) == "It was the"


def test_words_near_the_end_of_the_audio_are_held_back() -> None:
    agreement = Agreement()
    agreement.update(said("it was the best"), 1200)
    agreement.update(said("it was the best"), 1200)
    assert texts(agreement.stable) == "it was the best"
    agreement = Agreement()
    agreement.update(said("it was the best"), 900)
    agreement.update(said("it was the best"), 900)
    assert texts(agreement.stable) == "it was"


def test_a_stable_word_changes_in_case_and_punctuation_alone() -> None:
    agreement = Agreement()
    agreement.update(said("it was the best of times"), 5000)
    agreement.update(said("it was the best of times"), 5000)
    assert texts(agreement.update(said("It WAS, a worst"), 5000)) == "It WAS, the best of times"
    assert texts(agreement.stable) == "It WAS, the best of times"


def test_a_shorter_decode_takes_no_stable_word_away() -> None:
    agreement = Agreement()
    agreement.update(said("it was the best"), 5000)
    agreement.update(said("it was the best"), 5000)
    assert texts(agreement.update((), 5000)) == "it was the best"


def test_forgotten_words_are_neither_stable_nor_agreed_on() -> None:
    agreement = Agreement()
    agreement.update(said("it was the best"), 5000)
    agreement.update(said("it was the beast"), 5000)
    agreement.forget(2)
    assert texts(agreement.stable) == "the"
    assert texts(agreement.update(said("the beast"), 5000)) == "the beast"
    assert texts(agreement.stable) == "the beast"


def test_begins_with() -> None:
    assert begins_with(said("It was, the best"), said("it was"))
    assert begins_with(said("it"), ())
    assert not begins_with(said("it"), said("it was"))
    assert not begins_with(said("he was"), said("it was"))


def test_restate() -> None:
    assert texts(restate(said("It is the best"), said("it was"))) == "It was the best"


def test_a_doubtful_word_is_not_stable() -> None:
    sure, doubtful = said("so this is"), said("so this is second corpus")
    words = (*sure, *(replace(word, confidence=0.4) for word in doubtful[3:]))
    agreement = Agreement()
    agreement.update(words, 5000)
    agreement.update(words, 5000)
    assert texts(agreement.stable) == "so this is"
