"""The official Python SDK, unmodified: its client of threads."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from assemblyai.streaming.v3 import (
    ChannelAttributionOptions,
    ChannelStreamer,
    StreamingClient,
    StreamingClientOptions,
    StreamingEvents,
    StreamingSessionParameters,
)

from tests.conformance.passage import CHUNKS, SILENCE, assert_heard, assert_told_apart, channels
from tests.conformance.python_sdk import PATIENT, UNIVERSAL_3, Story, parameters
from tests.recordings import TWO_CITIES_TEXT, samples
from tests.support import PATIENCE
from turnwire.bench.scoring import word_errors
from turnwire.testing import LocalServer
from turnwire.wire.closure import Closure

# The SDK uses the websockets library in a way that newer versions of that frown upon.
pytestmark = [
    pytest.mark.filterwarnings(r"ignore:connect\(\) must be used:DeprecationWarning"),
    pytest.mark.filterwarnings(r"ignore:ConnectionClosed\.\w+ is deprecated:DeprecationWarning"),
]


def client_of(host: str, **options: Any) -> tuple[StreamingClient, Story]:
    client = StreamingClient(StreamingClientOptions(api_host=host, **PATIENT, **options))
    story = Story()
    story.listen(client)
    return client, story


def stream(server: LocalServer, audio: Iterable[bytes] = CHUNKS, **wanted: Any) -> Story:
    client, story = client_of(server.host, api_key=server.api_key)
    client.connect(parameters(**wanted))
    client.stream(audio)
    client.disconnect(terminate=True)
    return story


def test_a_long_passage_is_transcribed(server: LocalServer) -> None:
    audio, rate = samples("two_cities.wav")
    step = rate // 20
    chunks = [audio[start : start + step].tobytes() for start in range(0, len(audio), step)]
    client, story = client_of(server.host, api_key=server.api_key)
    client.connect(parameters(sample_rate=rate))
    client.stream(chunks)
    client.disconnect(terminate=True)

    assert story.errors == []
    assert len(story.begins) == 1
    [figures] = story.terminations
    assert figures.audio_duration_seconds == 44

    assert [turn.turn_order for turn in story.finals] == list(range(len(story.finals)))
    errors, words = word_errors(TWO_CITIES_TEXT, " ".join(t.transcript for t in story.finals))
    assert words == 119
    assert errors <= 5

    # A final word never changes: each transcript goes on where the one before it stopped.
    for order in range(len(story.finals)):
        raw = [t for t in story.turns if t.turn_order == order and not t.turn_is_formatted]
        for before, after in pairwise(raw):
            assert after.transcript.startswith(before.transcript)
    starts = [word.start for turn in story.finals for word in turn.words]
    assert starts == sorted(starts)


def test_a_turn_of_the_newer_models_ends_once(server: LocalServer) -> None:
    story = stream(server, speech_model=UNIVERSAL_3)
    assert_heard(*(turn.transcript for turn in story.finals))
    ended = [turn.turn_order for turn in story.turns if turn.end_of_turn]
    assert ended == list(range(len(ended)))
    assert story.begins[0].configuration is not None
    assert story.begins[0].configuration.model == "universal-3-6-pro"


def test_a_forced_endpoint_ends_the_turn_where_the_audio_ends(server: LocalServer) -> None:
    client, story = client_of(server.host, api_key=server.api_key)
    # Settings while it runs: this silence is longer than any in the passage.
    client.connect(parameters())
    client.set_params(StreamingSessionParameters(min_turn_silence=9000, max_turn_silence=9000))
    client.stream(CHUNKS[:90])
    client.force_endpoint()  # type: ignore[no-untyped-call]
    client.keep_alive()  # type: ignore[no-untyped-call]
    client.stream(CHUNKS[90:])
    client.disconnect(terminate=True)
    assert [turn.turn_order for turn in story.finals] == [0, 1]
    assert_heard(*(turn.transcript for turn in story.finals))
    assert story.finals[0].words[-1].end <= 90 * 50 <= story.finals[1].words[0].start


def test_a_temporary_token_opens_one_session(trusted_server: LocalServer) -> None:
    # Without a scheme it takes wss for sessions, and https for tokens.
    host = trusted_server.host.removeprefix("wss://")
    client, _ = client_of(host, api_key=trusted_server.api_key)
    token = client.create_temporary_token(60, max_session_duration_seconds=120)
    # The SDK leaves that connection to the garbage collector.
    client._client._http_client.close()

    # The SDK sends a token where it would send the key.
    client, story = client_of(host, token=token)
    client.connect(parameters())
    client.stream(CHUNKS)
    client.disconnect(terminate=True)
    assert_heard(*(turn.transcript for turn in story.finals))
    assert story.errors == []

    client, story = client_of(host, token=token)
    client.connect(parameters())
    assert story.failed.wait(PATIENCE)
    client.disconnect(terminate=True)
    assert [error.code for error in story.errors] == [1008]


def test_each_channels_words_are_its_own(server: LocalServer) -> None:
    client, story = client_of(server.host, api_key=server.api_key)
    mixer = ChannelStreamer(
        client,
        ["one", "two"],
        sample_rate=16_000,
        attribution=ChannelAttributionOptions(resolve_unknown_channels_method="none"),
    )
    turns: list[Any] = []
    mixer.on(StreamingEvents.Turn, lambda _, turn: turns.append(turn))
    client.connect(parameters())
    for one, two in channels():
        mixer.stream("one", one)
        mixer.stream("two", two)
    mixer.flush()
    client.disconnect(terminate=True)
    assert story.errors == []
    assert_told_apart(turns, one="one", two="two")


def test_an_ending_is_told_once_with_its_reason(server: LocalServer, ending: Closure) -> None:
    client, story = client_of(server.rehearsal(ending.row.name).host, api_key=server.api_key)
    client.connect(parameters())
    assert story.failed.wait(PATIENCE)
    client.disconnect(terminate=True)
    assert story.told == [(ending.code, ending.text)]
    assert story.terminations == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"api_key": "nobody"}, (1008, "Unauthorized Connection: Invalid API key")),
        (
            {"sample_rate": 4000},
            (
                3006,
                "User Input Validation Error: Invalid 'sample_rate': Value error, "
                "sample_rate must be at least 8,000 Hz",
            ),
        ),
        (
            {"audio": bytes(38_400)},
            (3007, "Input duration violation: 1200.0 ms. Expected between 50 and 1000 ms"),
        ),
    ],
)
def test_what_a_client_does_wrong_is_told(
    server: LocalServer, changes: dict[str, Any], told: tuple[int, str]
) -> None:
    client, story = client_of(server.host, api_key=changes.get("api_key", server.api_key))
    client.connect(parameters(sample_rate=changes.get("sample_rate", 16_000)))
    client.stream(changes.get("audio", SILENCE))
    assert story.failed.wait(PATIENCE)
    client.disconnect(terminate=True)
    assert story.told == [told]


def test_what_was_said_before_the_end_is_heard(server: LocalServer) -> None:
    place = server.rehearsal("session_expired", after="1turns")
    client, story = client_of(place.host, api_key=server.api_key)
    client.connect(parameters())
    client.stream(CHUNKS)
    assert story.failed.wait(PATIENCE)
    client.disconnect(terminate=True)
    assert story.finals[0].transcript.startswith("Ever tried")
    assert [error.code for error in story.errors] == [3008]
