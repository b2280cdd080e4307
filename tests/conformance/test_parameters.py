"""Every parameter of the official Python SDK, with a value that is right and one that is wrong."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from assemblyai.streaming.v3 import StreamingClient, StreamingClientOptions, StreamingParameters

from tests.conformance.python_sdk import PATIENT, Story
from tests.wire.values import VALUES
from turnwire.testing import LocalServer, serving
from turnwire.wire.models import MODELS

# The SDK uses the websockets library in a way that newer versions of that frown upon.
pytestmark = [
    pytest.mark.filterwarnings(r"ignore:connect\(\) must be used:DeprecationWarning"),
    pytest.mark.filterwarnings(r"ignore:ConnectionClosed\.\w+ is deprecated:DeprecationWarning"),
    # Values that its own types do not have are sent all the same.
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),
]

NAMES = sorted(VALUES.keys() & StreamingParameters.model_fields.keys())


@pytest.fixture(scope="module")
def echo() -> Iterator[LocalServer]:
    with serving("echo") as server:
        yield server


def native(value: str) -> Any:
    """A value as an application has it."""
    try:
        return json.loads(value)
    except ValueError:
        return {"True": True, "False": False}.get(value, value)


def ask(server: LocalServer, **wanted: Any) -> Story:
    options = StreamingClientOptions(api_host=server.host, api_key=server.api_key, **PATIENT)
    client = StreamingClient(options)
    story = Story()
    story.listen(client)
    client.connect(StreamingParameters.model_construct(**{"sample_rate": 16_000, **wanted}))
    client.disconnect(terminate=True)
    return story


def test_the_sdk_has_no_parameter_that_is_unknown_here() -> None:
    assert StreamingParameters.model_fields.keys() <= VALUES.keys()


@pytest.mark.parametrize("name", NAMES)
def test_a_right_value_opens_a_session(echo: LocalServer, name: str) -> None:
    values = VALUES[name]
    story = ask(echo, **dict(values.beside), **{name: native(values.right)})
    assert (story.told, len(story.begins)) == ([], 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_value_is_3006_and_named(echo: LocalServer, name: str) -> None:
    values = VALUES[name]
    story = ask(echo, **dict(values.beside), **{name: native(values.wrong)})
    assert story.begins == []
    [(code, text)] = story.told
    assert code == 3006
    # It has newer names for two of them, and sends those.
    shown = name.replace("noise_suppression_model", "voice_focus")
    shown = shown.replace("noise_suppression", "voice_focus")
    shown = shown.replace("min_end_of_turn_silence_when_confident", "min_turn_silence")
    assert f"Invalid '{shown}" in text


@pytest.mark.parametrize("model", MODELS)
def test_every_model_of_the_protocol_is_echoed(echo: LocalServer, model: str) -> None:
    story = ask(echo, speech_model=model)
    assert story.begins[0].configuration is not None
    assert story.begins[0].configuration.model == model
