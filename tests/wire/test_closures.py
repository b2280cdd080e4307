"""The closure table, and what is derived from a row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnwire.wire import closures
from turnwire.wire.closure import ECHO_CHARACTERS, REASON_TOO_LONG, ClosureRow, Kind, close_reason
from turnwire.wire.closures import CLOSURES, INPUT_DURATION, INVALID_JSON, UNAUTHORIZED
from turnwire.wire.limits import REASON_BYTES

CODES = {
    True: range(400, 500),
    # RFC 6455, 7.4: what may be sent, what a lost connection is called, and what is ours to use.
    False: {1000, 1002, 1007, 1008, 1009, 1011, 1013, 1006, *range(3000, 5000)},
}


def test_every_row_of_the_file_is_in_the_table() -> None:
    assert {row.name for row in vars(closures).values() if isinstance(row, ClosureRow)} == {
        row.name for row in CLOSURES
    }


@pytest.mark.parametrize("row", CLOSURES, ids=lambda row: row.name)
def test_a_row_knows_its_own_text_in_any_case_and_in_the_middle_of_another(row: ClosureRow) -> None:
    text = row.for_example().text
    assert row.find(text) == 0
    assert row.find(f"Error: {text.upper()}!") == len("Error: ")
    assert not row.matches("Something else")


def test_names_are_unique() -> None:
    names = [row.name for row in CLOSURES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("row", CLOSURES, ids=lambda row: row.name)
def test_codes_are_ones_a_websocket_knows(row: ClosureRow) -> None:
    assert row.code in CODES[row.kind is Kind.HTTP]


@pytest.mark.parametrize("row", CLOSURES, ids=lambda row: row.name)
def test_the_example_fills_the_template(row: ClosureRow) -> None:
    assert "{" not in row.for_example().text.replace("{not json", "")


def test_a_template_is_filled_in_word_for_word() -> None:
    closure = INPUT_DURATION.fill(ms="25.0")
    assert closure.text == "Input duration violation: 25.0 ms. Expected between 50 and 1000 ms"
    assert closure.reason == closure.text
    assert closure.code == 3007


def test_a_text_of_123_bytes_is_the_reason_and_one_of_124_points_to_the_error_frame() -> None:
    assert close_reason("x" * 123) == "x" * 123
    assert close_reason("x" * 124) == REASON_TOO_LONG


def test_bytes_count_and_not_characters() -> None:
    assert close_reason("é" * 61 + "x") == "é" * 61 + "x"
    assert close_reason("é" * 62) == REASON_TOO_LONG


@given(st.text())
def test_a_reason_always_fits_and_is_never_a_piece_of_the_text(text: str) -> None:
    closure = UNAUTHORIZED.fill(reason=text)
    assert len(closure.reason.encode()) <= REASON_BYTES
    assert closure.reason in (closure.text, REASON_TOO_LONG)


@given(st.text(alphabet=st.characters(), min_size=ECHO_CHARACTERS + 1))
def test_what_a_client_sent_is_repeated_only_so_far(text: str) -> None:
    echoed = INVALID_JSON.fill(json=text).text.removeprefix("Invalid JSON: ")
    assert len(echoed) == ECHO_CHARACTERS
    assert echoed.endswith("…")


def test_braces_in_what_a_client_sent_are_no_placeholders() -> None:
    assert INVALID_JSON.fill(json='{"a": {}').text == 'Invalid JSON: {"a": {}'


def test_half_a_character_is_repeated_as_something_that_can_be_sent() -> None:
    assert INVALID_JSON.fill(json="\ud800").text.encode() == b"Invalid JSON: ?"
