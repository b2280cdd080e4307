"""Words that a decode leaves out, though there is a voice for them."""

from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

from turnwire.speech.decoding import DecodedWord
from turnwire.speech.holes import VoiceWithin, filled, without_what_follows

BEST = "it was the best of times"


def voice_until(end: int, start: int = 0) -> VoiceWithin:
    """A voice without pauses."""
    return lambda first, last: max(min(last, end) - max(first, start), 0)


SILENCE = voice_until(0)


def word(text: str, start: int, end: int) -> DecodedWord:
    return DecodedWord(text, start, end, 0.9, (1,))


def texts(words: tuple[DecodedWord, ...]) -> str:
    return " ".join(each.text for each in words)


def slowly(text: str, ms: int = 400) -> tuple[DecodedWord, ...]:
    """Words that follow each other without a pause."""
    return tuple(word(each, i * ms, (i + 1) * ms) for i, each in enumerate(text.split()))


def test_what_is_missing_amid_the_words_was_heard_before() -> None:
    it, was, *_, of, times = slowly(BEST)
    # The words beside the hole are given its sound.
    late = (it, word("Was", 400, 1300), word("of", 1300, 2000), times)
    whole = filled(late, slowly(BEST), voice_until(2400))
    assert texts(whole) == "it Was the best of times"
    assert [(each.start, each.end) for each in whole] == [
        (each.start, each.end) for each in slowly(BEST)
    ]
    assert filled((it, was, of, times), slowly(BEST), voice_until(2400)) == slowly(BEST)


def test_what_was_heard_before_is_not_missing_without_a_voice_for_it() -> None:
    it, was, *_, of, times = slowly(BEST)
    late = (it, was, of, times)
    assert filled(late, slowly(BEST), SILENCE) == late
    at_once = [word("the", 800, 800), word("best", 800, 800)]
    assert filled(late, [it, was, *at_once, of, times], voice_until(2400)) == late


def test_other_words_for_the_same_voice_are_not_missing() -> None:
    it, was, _, _, of, times = slowly(BEST)
    late = (it, was, word("the", 800, 1200), word("guest", 1200, 1600), of, times)
    assert filled(late, slowly(BEST), voice_until(2400)) == late


def test_as_much_in_fewer_words_leaves_nothing_out() -> None:
    before = slowly("我 在 背 景 工 作")
    late = (*before[:2], word("北京", 800, 1600), *before[4:])
    assert filled(late, before, voice_until(2400)) == late
    before = slowly("go to H. T. T. P. S. now", 300)
    late = (*before[:2], word("HTTPS", 600, 2100), before[-1])
    assert filled(late, before, voice_until(2400)) == late


def test_long_texts_are_not_compared() -> None:
    spoken = slowly(" ".join(map(str, range(121))))
    late = (*spoken[:50], *spoken[60:])
    assert filled(late, spoken, voice_until(48400)) == late
    assert filled(late, spoken[1:], voice_until(48400)) == spoken


def test_words_that_were_not_heard_yet_come_after_those_that_are_missing() -> None:
    before = slowly("it was the best")
    late = (*before[:2], word("of", 1600, 2000), word("times", 2000, 2400))
    assert texts(filled(late, before, voice_until(2400))) == BEST


words = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "12"]), st.integers(0, 3000), st.integers(0, 1500)),
    max_size=10,
).map(lambda drawn: tuple(word(text, start, start + lasts) for text, start, lasts in drawn))


@given(words, words, st.booleans())
@example(
    (word("a", 0, 0), word("a", 600, 600), word("b", 0, 0)),
    (word("a", 0, 0), word("c", 0, 0), word("c", 0, 600)),
    True,
)
def test_no_word_is_lost_unless_others_take_its_place(
    late: tuple[DecodedWord, ...], before: tuple[DecodedWord, ...], voice: bool
) -> None:
    whole = filled(late, before, voice_until(5000) if voice else SILENCE)
    assert len(whole) >= len(late)
    assert texts(whole[:1]) == texts(late[:1])
    assert texts(whole[-1:]) == texts(late[-1:])
    assert set(texts(whole).split()) <= {each.text for each in (*late, *before)}
    if not voice:
        assert whole == late


@given(words, st.booleans())
def test_words_that_both_decodes_have_are_heard_once(
    late: tuple[DecodedWord, ...], voice: bool
) -> None:
    assert filled(late, late, voice_until(5000) if voice else SILENCE) == late


def ends(last: DecodedWord, voice: Callable[[int, int], int]) -> int:
    return without_what_follows((word("it", 0, 200), last), 3000, voice)[-1].end


def test_a_last_word_that_takes_the_voice_of_others_ends_after_its_letters() -> None:
    assert ends(word("was.", 200, 3000), voice_until(3000)) == 520
    assert ends(word("was.", 200, 400), voice_until(3000)) == 400
    assert ends(word("was.", 200, 3000), voice_until(1400)) == 3000


def test_a_figure_is_more_than_one_word() -> None:
    assert ends(word("1813.", 200, 2000), voice_until(2000)) == 2000
    assert ends(word("1813.", 200, 3000), voice_until(3000)) == 1480


def test_letters_said_one_by_one_last_longer_than_those_of_a_word() -> None:
    assert ends(word("XKCDQRT.", 200, 2200), voice_until(2200)) == 2200
    assert ends(word("안녕하세요.", 200, 1700), voice_until(1700)) == 1700
    assert ends(word("北京。", 200, 3000), voice_until(3000)) == 780
