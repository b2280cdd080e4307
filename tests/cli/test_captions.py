from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.servers import turn
from turnwire.cli import netflix_timed_text as rules
from turnwire.cli.captions import Caption, Captions
from turnwire.client.messages import Turn

DICKENS = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the "
    "age of foolishness. It was the epoch of belief, it was the epoch of incredulity; it was the "
    "season of Light, it was the season of Darkness."
)


def cues(*turns: Turn) -> list[Caption]:
    captions = Captions()
    return [cue for each in turns for cue in captions.add(each)] + captions.finish()


def texts(*turns: Turn) -> list[str]:
    return [cue.text for cue in cues(*turns)]


def spoken(text: str, *times: tuple[int, int], order: int = 0) -> Turn:
    """A turn whose words are spoken from and to these milliseconds."""
    made = turn(text, order=order)
    words = tuple(
        replace(word, start=start, end=end)
        for word, (start, end) in zip(made.words, times, strict=True)
    )
    return replace(made, words=words)


def test_a_short_turn_is_one_cue_that_can_be_read() -> None:
    assert cues(turn("Lights off.", start=1200)) == [Caption(1200, 2034, "Lights off.")]


def test_a_turn_without_words_has_no_cue() -> None:
    assert cues(turn("")) == []


def test_the_last_cue_waits_for_the_next_turn() -> None:
    captions = Captions()
    assert captions.add(spoken("Off.", (0, 20))) == []
    assert captions.add(spoken("Good night.", (500, 900), (900, 3000))) == [Caption(0, 416, "Off.")]
    assert captions.finish() == [Caption(500, 3000, "Good night.")]
    assert captions.finish() == []


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
    said = "He said to all of them “come over and stay.” And so they did, with bag and baggage."
    assert texts(turn(said))[0].endswith("stay.”")


def test_slow_speech_is_cut_by_time() -> None:
    slow = spoken("one two three four", *((3000 * n, 3000 * n + 2500) for n in range(4)))
    assert cues(slow) == [Caption(0, 5500, "one two"), Caption(6000, 11_500, "three four")]


def test_a_word_that_fits_nowhere_is_a_cue_of_its_own() -> None:
    endless = "Do" + "nau" * 20
    assert texts(turn(f"the {endless} ship")) == ["the", endless, "ship"]


def test_no_word_is_left_over() -> None:
    said = (
        "We had everything before us and we had nothing before us, as all of them had told us so."
    )
    assert len(said) > 2 * rules.LATIN.line_characters
    assert min(len(text.split()) for text in texts(turn(said))) > 3


SOSEKI = (
    "吾輩|は|猫|で|ある。|名|前|は|まだ|無い。|どこ|で|生|れた|か|とんと|見|当|が|つ|かぬ。|何|でも|薄|暗い|"
    "じ|めじめ|した|所|で|ニャー|ニャー|泣|いて|いた|事|だけ|は|記憶|して|いる。"
)


def unspaced(words: list[str], each_ms: int) -> Turn:
    """A turn of words without spaces between them, one after the other."""
    made = spoken(" ".join(words), *((n * each_ms, (n + 1) * each_ms) for n in range(len(words))))
    joined = tuple(replace(word, joined=n > 0) for n, word in enumerate(made.words))
    return replace(made, words=joined, transcript="".join(words))


def test_japanese_has_short_lines_and_no_spaces() -> None:
    assert texts(unspaced(SOSEKI.split("|"), 450)) == [
        "吾輩は猫である。\n名前はまだ無い。",
        "どこで生れたか\nとんと見当がつかぬ。",
        "何でも薄暗いじ\nめじめした所でニャー",
        "ニャー泣いていた事\nだけは記憶している。",
    ]


def test_latin_letters_amid_japanese_take_half_the_room() -> None:
    words = ["新しい", "iPhone", "と", "MacBook", "を", "買う。"]
    assert texts(unspaced(words, 300)) == ["新しいiPhoneと\nMacBookを買う。"]


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Lights off.", rules.LATIN),
        ("Свет", rules.LATIN),
        ("猫である", rules.JAPANESE),
        ("我们走吧", rules.CHINESE),
        ("안녕하세요", rules.KOREAN),
        ("สวัสดี", rules.THAI),
        ("ສະບາຍດີ", rules.THAI),
        ("The particle の is said like no.", rules.LATIN),
        ("We flew from Tokyo, that is 東京, to Seoul, 서울.", rules.LATIN),
        ("鲜の每日是一家在上海卖水果和蔬菜的店", rules.CHINESE),
        ("约翰・史密斯", rules.CHINESE),
        ("iPhoneとMacBookを買う", rules.JAPANESE),
    ],
)
def test_letters_tell_the_script(text: str, script: rules.Script) -> None:
    assert rules.script_of(text) is script


@pytest.mark.parametrize(
    ("letters", "script"),
    [("あいうえおんー漢。", rules.JAPANESE), ("天地玄黃宇宙，。", rules.CHINESE)],
)
@given(data=st.data())
def test_every_cue_without_spaces_follows_the_guideline(
    letters: str, script: rules.Script, data: st.DataObject
) -> None:
    word = st.text(letters, min_size=1, max_size=4).map(lambda text: letters[0] + text)
    words = data.draw(st.lists(word, min_size=1, max_size=40))
    made = cues(unspaced(words, data.draw(st.sampled_from([150, 400, 1200]))))
    assert "".join(cue.text for cue in made).replace("\n", "") == "".join(words)
    for cue, following in pairwise([*made, None]):
        assert cue is not None
        lines = cue.text.split("\n")
        assert len(lines) <= 2
        assert max(map(len, lines)) <= script.line_characters
        duration = cue.end - cue.start
        assert 0 < duration <= rules.LONGEST_MS
        no_room = duration == rules.LONGEST_MS or (
            following is not None and following.start - cue.end <= rules.GAP_MS
        )
        assert no_room or 1000 * len("".join(lines)) <= script.characters_a_second * duration


WORDS = st.text("abcdefghij", min_size=1, max_size=14).flatmap(
    lambda word: st.sampled_from([word, word, word, f"{word},", f"{word}."])
)


@st.composite
def dialogues(draw: st.DrawFn) -> list[Turn]:
    """Turns whose words last from nothing to seconds, with pauses or without."""
    now, turns = 0, []
    for order in range(draw(st.integers(1, 3))):
        words = draw(st.lists(WORDS, min_size=1, max_size=40))
        pace = draw(st.sampled_from([20, 150, 300, 900]))
        times = []
        for _ in words:
            now += draw(st.sampled_from([0, 0, 0, 50, 800]))
            start, now = now, now + draw(st.integers(0, 2 * pace))
            times.append((start, now))
        now += draw(st.sampled_from([100, 400, 1500, 9000]))
        turns.append(spoken(" ".join(words), *times, order=order))
    return turns


@given(dialogues())
def test_every_cue_follows_the_guideline(turns: list[Turn]) -> None:
    made = cues(*turns)
    assert " ".join(cue.text for cue in made).split() == [
        word.text for each in turns for word in each.words
    ]
    for cue, following in pairwise([*made, None]):
        assert cue is not None
        lines = cue.text.split("\n")
        assert len(lines) <= 2
        assert max(map(len, lines)) <= rules.LATIN.line_characters
        duration = cue.end - cue.start
        assert 0 < duration <= rules.LONGEST_MS
        if following is not None:
            assert following.start - cue.end >= rules.GAP_MS
        no_room = duration == rules.LONGEST_MS or (
            following is not None and following.start - cue.end <= rules.GAP_MS
        )
        assert no_room or duration >= rules.SHORTEST_MS
        assert no_room or 1000 * len(cue.text) <= rules.LATIN.characters_a_second * duration


@given(dialogues())
def test_a_word_stands_alone_only_where_it_has_no_company(turns: list[Turn]) -> None:
    for each in turns:
        left = list(each.words)
        cuts = [[left.pop(0) for _ in text.split()] for text in texts(each)]
        for before, after in pairwise(cuts):
            if min(len(before), len(after)) == 1:
                both = [*before, *after]
                too_wide = (
                    rules.lines([(word.text, word.joined) for word in both], rules.LATIN) is None
                )
                assert too_wide or both[-1].end - both[0].start > rules.LONGEST_MS


@pytest.mark.parametrize("word", ["Yes.", "No"])
def test_a_turn_of_one_short_word_can_be_read(word: str) -> None:
    assert cues(spoken(word, (100, 120))) == [Caption(100, 934, word)]
