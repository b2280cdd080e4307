"""Messages as they stand on the wire."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from turnwire.wire.closure import Violation
from turnwire.wire.closures import CLOSURES, INVALID_JSON, INVALID_MESSAGE
from turnwire.wire.messages import (
    Begin,
    Configuration,
    Error,
    ForceEndpoint,
    KeepAlive,
    Terminate,
    Termination,
    Turn,
    UpdateConfiguration,
    Word,
    parse_client_message,
    parse_server_message,
)


@pytest.mark.parametrize("message", [Terminate(), ForceEndpoint(), KeepAlive()])
def test_a_client_message_survives_the_wire(
    message: Terminate | ForceEndpoint | KeepAlive,
) -> None:
    assert parse_client_message(message.to_json()) == message


def test_the_type_may_be_the_last_key_and_unknown_keys_are_ignored() -> None:
    text = '{"min_turn_silence":200,"keyterms_prompt":[],"x":1,"type":"UpdateConfiguration"}'
    message = parse_client_message(text)
    assert isinstance(message, UpdateConfiguration)
    assert (message.min_turn_silence, message.keyterms_prompt) == (200, [])
    assert message.model_extra == {"x": 1}


def test_null_in_an_update_leaves_the_value() -> None:
    text = '{"type":"UpdateConfiguration","min_turn_silence":null}'
    assert parse_client_message(text) == UpdateConfiguration()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{not json", "Invalid JSON: {not json"),
        ("", "Invalid JSON: "),
        ("[" * 100_000, f"Invalid JSON: {'[' * 299}…"),
        ("[]", "Invalid Message: []"),
        ("null", "Invalid Message: null"),
        ('{"x":1}', 'Invalid Message: {"x":1}'),
        ('{"type":7}', 'Invalid Message: {"type":7}'),
        ('{"type":"Bogus"}', "Invalid Message Type: Bogus"),
        (
            '{"type":"UpdateConfiguration","min_turn_silence":"soon"}',
            "User Input Validation Error: Invalid 'min_turn_silence': "
            "Value error, invalid literal for int() with base 10: 'soon'",
        ),
        (
            '{"type":"UpdateConfiguration","vad_threshold":2}',
            "User Input Validation Error: Invalid 'vad_threshold': "
            "Input should be less than or equal to 1",
        ),
    ],
)
def test_what_is_no_message_says_so_in_the_words_of_the_page(text: str, reason: str) -> None:
    with pytest.raises(Violation) as caught:
        parse_client_message(text)
    assert caught.value.closure.text == reason
    assert caught.value.closure.code == 3006


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_a_message_or_a_documented_closure(text: str) -> None:
    try:
        parse_client_message(text)
    except Violation as violation:
        assert violation.closure.row in CLOSURES


@given(
    st.dictionaries(
        st.sampled_from([*UpdateConfiguration.model_fields, "x"]),
        st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.lists(st.text()),
    )
)
def test_any_update_is_taken_or_a_documented_closure(fields: dict[str, object]) -> None:
    text = json.dumps({**fields, "type": "UpdateConfiguration"})
    try:
        update = parse_client_message(text)
    except Violation as violation:
        assert violation.closure.row in CLOSURES
        assert violation.closure.row not in (INVALID_JSON, INVALID_MESSAGE)
    else:
        assert isinstance(update, UpdateConfiguration)
        assert update.vad_threshold is None or math.isfinite(update.vad_threshold)


WORD = Word(start=0, end=250, text="one", confidence=0.5, word_is_final=True)
TURN = Turn(
    turn_order=0,
    turn_is_formatted=False,
    end_of_turn=True,
    transcript="one",
    end_of_turn_confidence=0.7,
    words=(WORD,),
)
BEGIN = Begin(id="x", expires_at=1, configuration=Configuration(model="m", api_version="v"))


def test_an_optional_key_is_left_out_and_not_null() -> None:
    sent = json.loads(TURN.to_json())
    assert set(sent) == {
        "type",
        "turn_order",
        "turn_is_formatted",
        "end_of_turn",
        "transcript",
        "end_of_turn_confidence",
        "words",
        "utterance",
    }
    assert set(sent["words"][0]) == {"start", "end", "text", "confidence", "word_is_final"}


def test_the_configuration_in_begin_has_its_eight_keys_always() -> None:
    assert json.loads(BEGIN.to_json())["configuration"] == {
        "model": "m",
        "mode": None,
        "api_version": "v",
        "speaker_labels": False,
        "redact_pii": False,
        "filter_profanity": False,
        "domain": None,
        "voice_focus": None,
    }


@pytest.mark.parametrize(
    "message",
    [
        BEGIN,
        TURN,
        Termination(audio_duration_seconds=7, session_duration_seconds=8),
        Error(error_code=3006, error="x"),
    ],
    ids=lambda message: message.type,
)
def test_a_server_message_survives_the_wire(message: Begin | Turn | Termination | Error) -> None:
    assert parse_server_message(message.to_json()) == message


def test_only_the_error_message_has_a_key_named_error() -> None:
    for message in (BEGIN, TURN, Termination(audio_duration_seconds=0, session_duration_seconds=0)):
        assert "error" not in json.loads(message.to_json())


def test_a_time_that_is_no_integer_cannot_be_sent() -> None:
    with pytest.raises(ValidationError):
        Word(start=0.5, end=1, text="", confidence=0, word_is_final=True)  # type: ignore[arg-type]
