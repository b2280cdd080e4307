"""Where words have spaces between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnwire.writing import (
    SENTENCE_ENDS,
    full_stop,
    spacing,
    text_of,
    text_of_sentences,
    words_touch,
)


@pytest.mark.parametrize(
    ("before", "after", "touch"),
    [
        ("lights", "off", False),
        ("안녕", "하세요", False),
        ("नमस्ते", "दुनिया", False),
        ("今日", "は", True),
        ("天气", "很好", True),
        ("สวัส", "ดี", True),
        ("ສະ", "ບາຍ", True),
        ("မင်္ဂ", "လာ", True),
        ("សួស្តី", "ថ្ងៃ", True),
        ("新しい", "iPhone", True),
        ("iPhone", "を", True),
        ("", "Hello", False),
    ],
)
def test_what_has_no_space_between_it(before: str, after: str, touch: bool) -> None:
    assert words_touch(before, after) is touch


def test_a_text_is_made_of_words_and_the_spaces_between_them() -> None:
    words = [("今日", True), ("は", True), ("New", False), ("York", False), ("です。", True)]
    assert text_of(words) == "今日は New Yorkです。"
    assert text_of([]) == ""


def test_no_space_follows_a_mark_that_is_half_empty() -> None:
    assert text_of([("です。", False), ("はい、", False), ("そう", False)]) == "です。はい、そう"


def test_sentences_have_spaces_between_them_where_their_writing_does() -> None:
    assert text_of_sentences(["It is late.", "Good night."]) == "It is late. Good night."
    assert text_of_sentences(["もう遅い。", "おやすみ。"]) == "もう遅い。おやすみ。"
    assert text_of_sentences(["ดึกแล้ว", "ราตรีสวัสดิ์"]) == "ดึกแล้ว ราตรีสวัสดิ์"


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("It is late", "."),
        ("もう遅い", "。"),
        ("နောက်ကျပြီ", "။"),
        ("យឺតហើយ", "។"),
        ("দেরি হয়েছে", "."),
        ("ดึกแล้ว", "."),
        ("", "."),
    ],
)
def test_a_sentence_ends_with_the_mark_of_its_writing(text: str, mark: str) -> None:
    assert full_stop(text) == mark
    assert mark in SENTENCE_ENDS


def test_spaces_are_found_where_a_text_has_them() -> None:
    assert spacing(["天", "地", "紅", "荒"], "天地 紅荒") == [False, True, False, True]
    assert spacing(["Good", "night."], "Good night.") == [False, False]


def test_without_a_text_letters_tell_where_spaces_are() -> None:
    assert spacing(["Good", "night", "今", "日"], "") == [False, False, True, True]
    assert spacing(["Good", "night", "今", "日"], "Good  eve") == [False, False, True, True]


def test_a_word_that_a_text_does_not_have_says_nothing_of_the_next() -> None:
    assert spacing(["um,", "25", "people"], "25 people") == [False, False, False]
    assert spacing(["25", "um", "people"], "25people") == [False, False, False]
    assert spacing(["えー、", "今", "日"], "今日") == [False, True, True]


WORDS = st.lists(
    st.tuples(st.text(st.characters(exclude_categories=["Z", "C", "P"]), min_size=1), st.booleans())
)


@given(WORDS)
def test_the_spaces_of_a_text_are_those_it_was_made_with(words: list[tuple[str, bool]]) -> None:
    text = text_of(words)
    found = spacing([word for word, _ in words], text)
    assert found[1:] == [joined for _, joined in words[1:]]
