"""What a connection may ask for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.values import VALUES
from turnwire.wire.closure import Violation
from turnwire.wire.closures import INVALID_PARAMETER
from turnwire.wire.encodings import Encoding
from turnwire.wire.models import Family
from turnwire.wire.parameters import ConnectionParameters, names_of
from turnwire.wire.queries import parse_query
from turnwire.wire.support import family_of, without_effect


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
    ("value", "code"),
    [("en-US", "en"), ("en_us", "en"), ("EN", "en"), ("zh-Hant-TW", "zh"), ("yue", "yue")],
)
def test_a_language_may_come_with_its_region(value: str, code: str) -> None:
    assert parse_query([("language_code", value)]).language_code == [code]
    assert parse_query([("language_codes", json.dumps([value]))]).language_codes == [code]


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("language_codes", "en-", "language_codes.0"),
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


def test_every_parameter_of_the_protocol_is_known() -> None:
    known = {name for field in ConnectionParameters.model_fields for name in names_of(field)}
    assert set(VALUES) == known


def ask(query: list[tuple[str, str]]) -> None:
    family_of(parse_query(query), loaded="tiny.en")


@pytest.mark.parametrize("name", VALUES)
def test_a_right_value_is_taken(name: str) -> None:
    ask([*VALUES[name].beside, (name, VALUES[name].right)])


@pytest.mark.parametrize("name", VALUES)
def test_a_wrong_value_is_refused_and_named(name: str) -> None:
    with pytest.raises(Violation, match=r"Invalid '\w+") as caught:
        ask([*VALUES[name].beside, (name, VALUES[name].wrong)])
    assert caught.value.closure.row is INVALID_PARAMETER


@pytest.mark.parametrize("name", VALUES)
def test_an_odd_value_is_taken_as_it_is_meant_or_refused(name: str) -> None:
    query = [*VALUES[name].beside, (name, VALUES[name].odd)]
    if VALUES[name].odd_is_taken:
        ask(query)
    else:
        with pytest.raises(Violation, match="Invalid '"):
            ask(query)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ([("domain", "medical-v1"), ("customer_support_audio_capture", "true")], {"domain"}),
        ([("previous_context_n_turns", "0")], {"previous_context_n_turns"}),
        ([("customer_support_audio_capture", "false"), ("keyterms_prompt", "[]")], set()),
        ([("interruption_delay", "0")], {"interruption_delay"}),
        ([("end_of_turn_confidence_threshold", "0.5")], set()),
    ],
)
def test_what_changes_nothing_is_known(query: list[tuple[str, str]], names: set[str]) -> None:
    found = dict(without_effect(parse_query(query), Family.UNIVERSAL_STREAMING))
    assert set(found) - {"customer_support_audio_capture"} == names


@pytest.mark.parametrize("name", ["sample_rate", "speech_model", "token", "webhook_url"])
def test_a_parameter_given_twice_must_have_one_value(name: str) -> None:
    with pytest.raises(Violation, match=f"Invalid '{name}': given more than once"):
        parse_query([(name, "16000"), ("x", "1"), (name, "8000")])
    with pytest.raises(Violation, match=f"Invalid '{name}': given more than once"):
        parse_query([(name, "16000"), (f"{name}[]", "8000")])


def test_the_same_value_twice_is_one_and_unknown_names_may_repeat() -> None:
    query = [("sample_rate", "8000"), ("sample_rate", "8000"), ("x", "1"), ("x", "2")]
    assert parse_query(query).sample_rate == 8000


@pytest.mark.parametrize(
    "query",
    [
        [("keyterms_prompt", '["Ada"]'), ("keyterms_prompt", '["Grace"]')],
        [("keyterms_prompt[]", "Ada"), ("keyterms_prompt[]", "Grace")],
        [("keyterms[]", '["Ada", "Grace"]')],
        [("keyterms_prompt", '["Ada"]'), ("keyterms_prompt[]", "Grace")],
    ],
)
def test_lists_given_piece_by_piece_are_put_together(query: list[tuple[str, str]]) -> None:
    assert parse_query(query).keyterms_prompt == ["Ada", "Grace"]


@pytest.mark.parametrize(
    "query",
    [
        [("keyterms_prompt", "Ada"), ("keyterms_prompt", "Grace")],
        [("keyterms_prompt", '["Ada"]'), ("keyterms_prompt", "Grace")],
        [("keyterms_prompt", json.dumps(["x"] * 60)), ("keyterms_prompt", json.dumps(["y"] * 60))],
        [("language_codes", "es"), ("language_codes", "tlh")],
    ],
)
def test_lists_are_put_together_only_if_each_is_valid(query: list[tuple[str, str]]) -> None:
    with pytest.raises(Violation, match=f"Invalid '{query[0][0]}"):
        parse_query(query)


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
    assert family_of(ConnectionParameters(speech_model=name), loaded="tiny.en") is family


@pytest.mark.parametrize("name", ["", "nova-2", "universal-streaming", "u3", "large-v3"])
def test_a_name_of_no_family_is_refused(name: str) -> None:
    with pytest.raises(Violation, match=r"Invalid 'speech_model': .*universal-3-6-pro.*tiny\.en$"):
        family_of(ConnectionParameters(speech_model=name), loaded="tiny.en")
