"""What a connection may ask for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnwire.wire.closures import INVALID_PARAMETER, Violation
from turnwire.wire.encodings import Encoding
from turnwire.wire.parameters import (
    ConnectionParameters,
    Family,
    parse_query,
    requested_family,
)


def test_nothing_asked_for_is_fine() -> None:
    parameters = parse_query([])
    assert parameters.sample_rate == 16_000
    assert parameters.encoding is Encoding.PCM_S16LE
    assert parameters.format_turns is None


@pytest.mark.parametrize(
    ("text", "value"), [("True", True), ("true", True), ("1", True), ("False", False), ("0", False)]
)
def test_booleans_as_clients_of_all_languages_write_them(text: str, value: bool) -> None:
    assert parse_query([("format_turns", text)]).format_turns is value


def test_unknown_names_are_ignored() -> None:
    assert parse_query([("formatted_finals", "true"), ("x", "")]) == ConnectionParameters()


def test_a_list_is_one_json_array() -> None:
    assert parse_query([("keyterms_prompt", '["Ada", "Küche"]')]).keyterms_prompt == [
        "Ada",
        "Küche",
    ]


def test_terms_have_an_older_name_and_long_ones_are_left_out() -> None:
    terms = json.dumps(["Ada", "x" * 50, "x" * 51])
    assert parse_query([("keyterms", terms)]).keyterms_prompt == ["Ada", "x" * 50]


@pytest.mark.parametrize(
    "query",
    [
        [("language_codes", '["es", "en"]')],
        [("language_codes", "es"), ("language_codes", "en")],
    ],
)
def test_languages_come_as_one_list_or_one_by_one(query: list[tuple[str, str]]) -> None:
    assert parse_query(query).language_codes == ["es", "en"]
    assert parse_query([("language_code", "es")]).language_code == ["es"]


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("language_codes", "es,en", "language_codes.0"),
        ("language_codes", '["es", "tlh"]', "language_codes.1"),
        ("language_code", "tlh", "language_code.0"),
        ("language_codes", '["multi", "es"]', "language_codes"),
        ("language_codes", json.dumps(["es"] * 11), "language_codes"),
    ],
)
def test_a_language_that_is_none_is_named(name: str, value: str, place: str) -> None:
    with pytest.raises(Violation, match=f"Invalid '{place}': "):
        parse_query([(name, value)])


def test_the_old_name_of_min_turn_silence_works_and_the_new_one_wins() -> None:
    old = ("min_end_of_turn_silence_when_confident", "300")
    assert parse_query([old]).min_turn_silence == 300
    assert parse_query([old, ("min_turn_silence", "200")]).min_turn_silence == 200


@pytest.mark.parametrize(
    ("asked", "given"), [("0", 50), ("49", 50), ("160", 160), ("60000", 10_000)]
)
def test_silences_are_clamped(asked: str, given: int) -> None:
    assert parse_query([("min_turn_silence", asked)]).min_turn_silence == given
    assert parse_query([("max_turn_silence", asked)]).max_turn_silence == given


@pytest.mark.parametrize(
    ("name", "value", "detail"),
    [
        ("sample_rate", "4000", "Value error, sample_rate must be at least 8,000 Hz"),
        ("sample_rate", "96001", "Value error, sample_rate must be at most 96,000 Hz"),
        ("sample_rate", "fast", "Value error, invalid literal for int() with base 10: 'fast'"),
        (
            "min_turn_silence",
            "160.0",
            "Value error, invalid literal for int() with base 10: '160.0'",
        ),
        ("encoding", "flac", "Value error, 'flac' is not a valid Encoding"),
        ("keyterms_prompt", "a,b", "Value error, Invalid JSON array"),
        ("keyterms_prompt", '{"a":1}', "Value error, Invalid JSON array"),
        ("keyterms_prompt", json.dumps([""] * 101), "Value error, Max 100 items"),
        (
            "prompt",
            "x" * 1751,
            "Value error, prompt exceeds maximum length of 1750 characters (got 1751)",
        ),
        ("mode", "fast", "Input should be 'min_latency', 'balanced' or 'max_accuracy'"),
        ("interruption_delay", "1001", "Input should be less than or equal to 1000"),
        ("inactivity_timeout", "4", "Input should be greater than or equal to 5"),
        ("end_of_turn_confidence_threshold", "nan", "Input should be a finite number"),
        ("redact_pii", "true", "Value error, this server does not redact"),
    ],
)
def test_a_value_that_cannot_be_says_which_and_why(name: str, value: str, detail: str) -> None:
    with pytest.raises(Violation) as caught:
        parse_query([("x", "y"), (name, value)])
    expected = f"User Input Validation Error: Invalid '{name}': {detail}"
    assert caught.value.closure.text == expected
    assert caught.value.closure.code == 3006


@given(
    st.lists(st.tuples(st.sampled_from(list(ConnectionParameters.model_fields)), st.text())),
)
def test_any_query_is_taken_or_names_the_parameter(query: list[tuple[str, str]]) -> None:
    try:
        parse_query(query)
    except Violation as violation:
        assert violation.closure.row is INVALID_PARAMETER


@pytest.mark.parametrize(
    ("name", "family"),
    [
        (None, Family.UNIVERSAL_STREAMING),
        ("tiny.en", Family.UNIVERSAL_STREAMING),
        ("universal-streaming-english", Family.UNIVERSAL_STREAMING),
        ("universal-streaming-multilingual", Family.UNIVERSAL_STREAMING),
        ("u3-rt-pro", Family.UNIVERSAL_3),
        ("universal-3-6-pro", Family.UNIVERSAL_3),
        ("universal-3-7-preview", Family.UNIVERSAL_3),
        ("_universal-3-5-notetaker", Family.UNIVERSAL_3),
        ("whisper-rt", Family.WHISPER),
    ],
)
def test_a_model_name_says_how_turns_look(name: str | None, family: Family) -> None:
    assert requested_family(ConnectionParameters(speech_model=name), loaded="tiny.en") is family


@pytest.mark.parametrize("name", ["", "nova-2", "best", "large-v3"])
def test_a_name_of_no_family_is_refused(name: str) -> None:
    with pytest.raises(Violation, match="Invalid 'speech_model'"):
        requested_family(ConnectionParameters(speech_model=name), loaded="tiny.en")
