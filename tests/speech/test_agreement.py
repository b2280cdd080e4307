"""Which words become stable, and that they stay so."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from turnwire.speech.agreement import (
    AGREED,
    AGREED_FIRST,
    ALONE,
    ALONE_FIRST,
    FIRST,
    HOLD_BACK_MS,
    SETTLED,
    SETTLED_FIRST,
    Agreement,
    begins_with,
    restate,
)
from turnwire.speech.decoding import DecodedWord


def said(text: str, each: int = 200) -> tuple[DecodedWord, ...]:
    """The words of `text`, `each` ms long, one after the other."""
    return tuple(
        DecodedWord(word, i * each, (i + 1) * each, 1.0, (i,))
        for i, word in enumerate(text.split())
    )


def texts(words: tuple[DecodedWord, ...]) -> str:
    return " ".join(word.text for word in words)


def test_no_word_after_the_first_is_stable_after_one_decode() -> None:
    agreement = Agreement()
    assert texts(agreement.update(said("it was the best"), 2000)) == "it was the best"
    assert texts(agreement.stable) == "it"


def test_words_two_decodes_agree_on_are_stable() -> None:
    agreement = Agreement()
    agreement.update(said("it was the beast of"), 2000)
    agreement.update(said("It was the best of"), 2500)
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
    agreement.update(said("it was the best of times"), 2000)
    agreement.update(said("it was the best of times"), 2000)
    assert texts(agreement.update(said("It WAS, a worst"), 2000)) == "it was the best of times"
    assert texts(agreement.update(said("It WAS, the best of times"), 2000)).startswith(
        "It WAS, the"
    )


def test_a_shorter_decode_takes_no_stable_word_away() -> None:
    agreement = Agreement()
    agreement.update(said("it was the best"), 2000)
    agreement.update(said("it was the best"), 2000)
    assert texts(agreement.update((), 2000)) == "it was the best"


def test_forgotten_words_are_neither_stable_nor_agreed_on() -> None:
    agreement = Agreement()
    agreement.update(said("it was the best"), 2000)
    agreement.update(said("it was the beast"), 2000)
    agreement.forget(2)
    assert texts(agreement.stable) == "the"
    assert texts(agreement.update(said("the beast"), 2000)) == "the beast"
    assert texts(agreement.stable) == "the beast"


def test_begins_with() -> None:
    assert begins_with(said("It was, the best"), said("it was"))
    assert begins_with(said("it"), ())
    assert not begins_with(said("it"), said("it was"))
    assert not begins_with(said("he was"), said("it was"))


def test_restate() -> None:
    assert texts(restate(said("It was the best"), said("it was"))) == "It was the best"
    assert texts(restate(said("It is the best"), said("it was"))) == "it was the best"
    # Not by number: the decode heard one word less, or one more.
    fewer = (DecodedWord("It's", 0, 400, 1.0, ()), *said("x x the best")[2:])
    assert texts(restate(fewer, said("it was"))) == "it was the best"
    more = (*said("I it is a", 100), *said("x x the best")[2:])
    assert texts(restate(more, said("it was"))) == "it was the best"
    late = DecodedWord("was", 390, 590, 1.0, ())
    assert texts(restate((said("is")[0], late), said("it was"))) == "it was"


@given(st.integers(2, 6), st.integers(-390, 390))
def test_a_word_said_once_is_heard_once(stable: int, off: int) -> None:
    """However far off a decode's times are from those of the one that made words stable."""
    script = "it was the best of times it was the worst of times"
    later = tuple(
        replace(word, start=word.start + 400 + off, end=word.end + 400 + off)
        for word in said(script)
    )
    before = tuple(
        replace(word, start=word.start + 400, end=word.end + 400)
        for word in said(script.replace("it", "is", 1))[:stable]
    )
    assert texts(restate(later, before)) == script.replace("it", "is", 1)


def test_a_word_said_again_at_once_is_heard_again() -> None:
    assert texts(restate(said("yes no no no"), said("yet no"))) == "yet no no no"


def doubtful(text: str, index: int, confidence: float = 0.3) -> tuple[DecodedWord, ...]:
    """The words of `text`, of which the decoder is not sure of one."""
    words = list(said(text))
    words[index] = replace(words[index], confidence=confidence)
    return tuple(words)


def after_two_decodes(words: tuple[DecodedWord, ...], audio_end: int) -> str:
    agreement = Agreement()
    agreement.update(words, audio_end)
    agreement.update(words, audio_end)
    return texts(agreement.stable)


def test_a_doubtful_word_holds_back_those_after_it() -> None:
    words = doubtful("so this is second corpus", 3)
    assert after_two_decodes(words, words[-1].end + HOLD_BACK_MS) == "so this is"


def test_a_doubtful_word_is_stable_once_enough_was_heard_after_it() -> None:
    words = doubtful("so this is second corpus", 3)
    assert after_two_decodes(words, words[3].end + AGREED[-1][0]) == "so this is second corpus"


def test_the_first_word_need_not_be_as_sure() -> None:
    end, (_, sure) = said("so this")[-1].end + HOLD_BACK_MS, AGREED_FIRST[0]
    assert after_two_decodes(doubtful("so this", 0, sure**2 + 0.01), end) == "so this"
    assert after_two_decodes(doubtful("so this", 0, sure**2 - 0.01), end) == ""


def test_a_first_word_that_was_heard_twice_and_is_not_new_need_not_be_sure_at_all() -> None:
    words = doubtful("so this", 0, 0.01)
    heard, _ = AGREED_FIRST[-1]
    assert after_two_decodes(words, words[0].end + heard - 1) == ""
    assert after_two_decodes(words, words[0].end + heard) == "so this"


def first_stable(*decodes: tuple[DecodedWord, ...], heard: int = HOLD_BACK_MS) -> str:
    """What is stable of the last of these decodes, so long after its first word."""
    agreement = Agreement()
    for words in decodes:
        agreement.update(words, words[0].end + heard)
    return texts(agreement.stable)


def test_a_first_word_that_the_first_decode_is_sure_of_is_stable_at_once() -> None:
    for heard, sure in FIRST:
        assert first_stable(doubtful("so", 0, sure), heard=heard) == "so"
        assert first_stable(doubtful("so", 0, sure - 0.01), heard=heard - 1) == ""


def test_of_a_first_word_the_second_tells_as_much() -> None:
    """Nothing before it makes it likely, but it makes what follows likely."""
    sure = dict(FIRST)[HOLD_BACK_MS]
    assert first_stable(doubtful("so this", 0, sure**2 + 0.01)) == "so"
    assert first_stable(doubtful("so this", 0, sure**2 - 0.01)) == ""
    assert first_stable(doubtful("so this", 1, sure**2 - 0.01)) == ""


def test_a_first_word_that_the_decode_before_contradicts_has_to_be_surer() -> None:
    ((heard, sure), *_) = ALONE_FIRST
    before = doubtful("oh", 0, 0.1)
    assert first_stable(before, doubtful("so", 0, sure), heard=heard) == "so"
    assert first_stable(before, doubtful("so", 0, sure), heard=heard - 1) == ""
    assert first_stable(before, doubtful("so", 0, sure - 0.01), heard=heard) == ""


def after_a_decode_that_differs(words: tuple[DecodedWord, ...], age: int) -> str:
    """What is stable of words after the first, so long after the second ended."""
    agreement = Agreement()
    agreement.update(said("it is x x"), 900)
    agreement.update(said("it is x x"), 900)
    assert texts(agreement.stable) == "it is"
    agreement.update(said("it is a beast of"), words[2].end)
    agreement.update(words, words[2].end + age)
    return texts(agreement.stable[2:])


def test_a_word_that_no_two_decodes_agree_on_is_stable_at_last() -> None:
    ((longest, _),) = ALONE
    for words in (said("it is the best"), doubtful("it is the best", 2, 0.01)):
        assert after_a_decode_that_differs(words, longest - 1) == ""
        assert after_a_decode_that_differs(words, longest) == "the"


def test_what_a_final_decode_says_is_stable_soon_whatever_was_heard_before() -> None:
    ((heard, _),) = SETTLED
    words = tuple(replace(word, confidence=0.1) for word in said("it was the epoch"))
    for final, age, stable in (
        (True, heard, "it was the"),
        (True, heard - 1, "it was"),
        (False, heard, "it"),
    ):
        agreement = Agreement()
        agreement.update(said("it was that epoch"), 900)
        agreement.update(words, words[2].end + age, final=final)
        assert texts(agreement.stable) == stable


def test_what_a_final_decode_says_first_is_stable_a_little_later() -> None:
    ((heard, _),) = SETTLED_FIRST
    for age, stable in ((heard, "so"), (heard - 1, "")):
        agreement = Agreement()
        words = doubtful("so", 0, 0.1)
        agreement.update(words, words[0].end + age, final=True)
        assert texts(agreement.stable) == stable


def test_words_after_one_that_changed_are_still_agreed_on() -> None:
    agreement = Agreement()
    agreement.update(said("it was the best of times"), 900)
    agreement.update(doubtful("it was a best of times", 2, 0.1), 600 + ALONE[0][0])
    assert texts(agreement.stable) == "it was a best of times"


def test_a_decode_that_may_be_of_no_speech_makes_nothing_stable() -> None:
    agreement = Agreement()
    for _ in range(2):
        told = agreement.update(said("thank you very much"), 9000, doubted=True)
        assert texts(told) == "thank you very much"
    assert agreement.stable == ()
    agreement.update(said("thank you very much"), 9000)
    assert texts(agreement.stable) == "thank you very much"


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=40), min_size=1, max_size=12), st.data())
def test_live_text_never_stands_still(decodes: list[list[str]], data: st.DataObject) -> None:
    """Whatever decodes say, old words are stable, and what is stable stays."""
    agreement = Agreement()
    stable: list[str] = []
    audio_end = 0
    for decode in decodes:
        audio_end += 1000
        words = said(" ".join(decode[: audio_end // 200]))
        unsure = tuple(
            replace(word, confidence=data.draw(st.floats(0, 1), label="confidence"))
            for word in words
        )
        told = agreement.update(unsure, audio_end)
        now = [word.text for word in agreement.stable]
        assert now[: len(stable)] == stable
        assert [word.text for word in told[: len(now)]] == now
        assert all(word.end > audio_end - ALONE[-1][0] for word in told[len(now) :])
        stable = now
