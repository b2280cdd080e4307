"""What is the same word, case and punctuation apart."""

import pytest

from turnwire.recognition import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi,", "hi"),
        ("“Quoted”", "quoted"),
        ("It's", "it's"),
        ("it’s", "it's"),
        ("mother-in-law.", "mother-in-law"),
        ("$5.50", "5.50"),
        ("—", "—"),
    ],
)
def test_plain_words_have_no_case_and_no_punctuation(text: str, expected: str) -> None:
    assert plain(text) == expected
