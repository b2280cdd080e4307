"""What of a decoder's text was spoken, and when a text is no text."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from turnwire.recognition import ENGLISH
from turnwire.speech.decoding import DecodedWord
from turnwire.speech.filters import (
    DecodeAttempt,
    is_doubtful,
    looks_bad,
    says_nothing,
    spoken,
    without_loops,
)

LONG = 60_000


def words_of(text: str, *, each_ms: int = 300, confidence: float = 0.9) -> list[DecodedWord]:
    """Words spoken one after the other."""
    return [
        DecodedWord(word, i * each_ms, (i + 1) * each_ms, confidence, (i,))
        for i, word in enumerate(text.split())
    ]


def text_of(words: Sequence[DecodedWord]) -> str:
    return " ".join(word.text for word in words)


def attempt(
    words: Sequence[DecodedWord], *, logprob: float = -0.3, no_speech: float = 0.05
) -> DecodeAttempt:
    tokens = [token for word in words for token in word.tokens]
    return DecodeAttempt(tokens, logprob, no_speech, capped=False, language=ENGLISH, heard=None)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (". . . . . . . . . . . .", ""),
        ("… it - is ! five %", "it is five %"),
        ("Marks & Spencer + $", "Marks & Spencer + $"),
    ],
)
def test_a_word_has_a_letter_or_a_digit(said: str, left: str) -> None:
    assert text_of(spoken(words_of(said), LONG)) == left


def test_what_begins_after_the_voice_was_not_spoken() -> None:
    assert text_of(spoken(words_of("It is late. Thank you."), 900)) == "It is late."


def test_words_that_crowd_were_not_spoken() -> None:
    crowd = [DecodedWord(word, 900, 900, 0.9, (7,)) for word in ("and", "so", "on")]
    assert text_of(spoken([*words_of("It is late."), *crowd], LONG)) == "It is late."


@pytest.mark.parametrize(
    ("said", "voice_ms", "left"),
    [
        # The last "seven" finds some sound, but the phrase it begins goes on after the voice.
        ("Seven of clubs, seven of clubs.", 1100, "Seven of clubs,"),
        ("no no no no", 700, "no no no"),
        ("Seven of clubs, seven of clubs.", 1800, "Seven of clubs, seven of clubs."),
        ("Seven of clubs, seven of hearts.", 1100, "Seven of clubs, seven"),
    ],
)
def test_what_is_said_again_until_after_the_voice_was_said_once(
    said: str, voice_ms: int, left: str
) -> None:
    assert text_of(spoken(words_of(said), voice_ms)) == left


def test_what_is_said_again_much_faster_was_said_once() -> None:
    slow = words_of("Fail again.", each_ms=500)
    fast = [DecodedWord(word.text, 1000 + i * 50, 1050 + i * 50, 0.9, (9,)) for i, word in
            enumerate(slow)]  # fmt: skip
    assert text_of(spoken([*slow, *fast], LONG)) == "Fail again."


def letters_of(text: str, *, each_ms: int = 180) -> list[DecodedWord]:
    """Words of a letter each, without spaces between them."""
    return [replace(word, joined=True) for word in words_of(" ".join(text), each_ms=each_ms)]


def test_a_letter_said_twice_is_a_word_however_short_the_second() -> None:
    words = letters_of("太谢谢")
    words[-1] = replace(words[-1], end=words[-1].start + 40)
    assert text_of(spoken(words, LONG)) == "太 谢 谢"


@pytest.mark.parametrize(("crowd", "left"), [(5, "太 谢 谢 a b c d e"), (6, "太 谢 谢")])
def test_more_letters_than_words_may_begin_at_one_moment(crowd: int, left: str) -> None:
    at_once = [replace(word, start=900, end=900) for word in letters_of("abcdefgh"[:crowd])]
    assert text_of(spoken([*letters_of("太谢谢"), *at_once], LONG)) == left


@pytest.mark.parametrize(("crowd", "left"), [(5, "ดี แล้ว a b c d e"), (6, "ดี แล้ว")])
def test_a_letter_after_a_space_is_one_of_a_crowd_of_letters(crowd: int, left: str) -> None:
    at_once = [replace(word, start=900, end=900) for word in letters_of("abcdefgh"[:crowd])]
    at_once[0] = replace(at_once[0], joined=False)
    assert text_of(spoken([*words_of("ดี แล้ว"), *at_once], LONG)) == left


def test_words_that_crowd_behind_a_letter_were_not_spoken() -> None:
    crowd = [DecodedWord(word, 900, 900, 0.9, (7,)) for word in ("ね", "and", "so", "on")]
    crowd[0] = replace(crowd[0], joined=True)
    assert text_of(spoken([*letters_of("太谢谢"), *crowd], LONG)) == "太 谢 谢"


@pytest.mark.parametrize("said", ["ご視聴ありがとうございました", "谢谢观看"])
def test_a_loop_of_letters_is_doubted_and_said_once(said: str) -> None:
    words = letters_of(said * 6)
    assert looks_bad(attempt(words), words)
    assert "".join(word.text for word in without_loops(words)) == said


def test_a_sentence_of_letters_is_no_loop() -> None:
    words = letters_of(
        "吾輩は猫である名前はまだ無いどこで生れたかとんと見当がつかぬ何でも薄暗いじめじめした所で"
    )
    assert not looks_bad(attempt(words), words)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("call jah-jah-dah-dah-dah-dah-dah-dah. Bye", "call jah-jah-dah Bye"),
        ("write tajan.mith" + "eve" * 12 + "n now", "write tajan.mitheven now"),
        ("Thank you. " * 7, "Thank you."),
        ("no " * 6 + "never", "no never"),
    ],
)
def test_a_loop_is_doubted_and_said_once(said: str, left: str) -> None:
    words = words_of(said)
    assert looks_bad(attempt(words), words)
    assert text_of(without_loops(words)) == left


@pytest.mark.parametrize(
    "said",
    ["no " * 5, "Ever tried. Ever failed. No matter.", "bye-bye", "hahahaha", "10101010101010"],
)
def test_real_repetitions_stay(said: str) -> None:
    words = words_of(said)
    assert not looks_bad(attempt(words), words)
    assert text_of(without_loops(words)) == said.strip()


def test_a_word_cut_out_of_a_loop_leaves_no_tokens_of_it() -> None:
    first, _ = without_loops(words_of("dah-dah-dah-dah-dah-dah bye"))
    assert (first.text, first.tokens) == ("dah", ())


@pytest.mark.parametrize(
    ("confidence", "logprob", "no_speech", "doubtful"),
    [
        (0.01, -0.9, 0.2, True),
        (0.05, -0.9, 0.2, False),
        (0.01, -0.7, 0.2, False),
        (0.01, -0.9, 0.05, False),
    ],
)
def test_a_doubtful_phrase_shows_three_signs(
    confidence: float, logprob: float, no_speech: float, doubtful: bool
) -> None:
    words = words_of("Thank you very much.", confidence=confidence)
    assert is_doubtful(attempt(words, logprob=logprob, no_speech=no_speech), words) is doubtful


def test_an_improbable_text_is_no_speech_where_that_is_likely() -> None:
    words = words_of("you")
    assert says_nothing(attempt(words, logprob=-1.2, no_speech=0.7))
    assert not says_nothing(attempt(words, logprob=-0.8, no_speech=0.7))
    assert not says_nothing(attempt(words, logprob=-1.2, no_speech=0.5))
