"""The official Python SDK, unmodified, against a server with the packaged model."""

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from assemblyai.streaming.v3 import (
    BeginEvent,
    SpeechModel,
    StreamingClient,
    StreamingClientOptions,
    StreamingError,
    StreamingEvents,
    StreamingParameters,
    TerminationEvent,
    TurnEvent,
)

from benchmarks.scoring import word_errors
from tests.recordings import TWO_CITIES_TEXT, samples
from turnwire.server.running import RunningServer, running

# The SDK uses the websockets library in a way that newer versions of that frown upon.
pytestmark = pytest.mark.filterwarnings(
    r"ignore:connect\(\) must be used as a context manager:DeprecationWarning"
)


@dataclass
class Story:
    """What the SDK told its application."""

    begins: list[BeginEvent] = field(default_factory=list)
    turns: list[TurnEvent] = field(default_factory=list)
    terminations: list[TerminationEvent] = field(default_factory=list)
    errors: list[StreamingError] = field(default_factory=list)


def stream(server: RunningServer, audio: list[bytes], rate: int, *, api_key: str) -> Story:
    """An application of the SDK, as its README writes it."""
    story = Story()
    client = StreamingClient(
        # The whole file is sent at once, which no microphone does: its end takes a while.
        StreamingClientOptions(api_key=api_key, api_host=server.url, terminate_timeout=60)
    )
    client.on(StreamingEvents.Begin, lambda _, event: story.begins.append(event))
    client.on(StreamingEvents.Turn, lambda _, event: story.turns.append(event))
    client.on(StreamingEvents.Termination, lambda _, event: story.terminations.append(event))
    client.on(StreamingEvents.Error, lambda _, error: story.errors.append(error))
    client.connect(
        StreamingParameters(  # type: ignore[call-arg]  # its fields all have defaults
            sample_rate=rate,
            format_turns=True,
            speech_model=SpeechModel.universal_streaming_english,
        )
    )
    try:
        client.stream(audio)
    finally:
        client.disconnect(terminate=True)
    return story


async def test_the_dickens_passage_is_transcribed() -> None:
    audio, rate = samples("two_cities.wav")
    step = rate // 20
    chunks = [audio[start : start + step].tobytes() for start in range(0, len(audio), step)]
    async with running("tiny.en") as server:
        story = await asyncio.to_thread(stream, server, chunks, rate, api_key=server.api_key)

    assert story.errors == []
    assert [begin.type for begin in story.begins] == ["Begin"]
    [figures] = story.terminations
    assert figures.audio_duration_seconds == 44

    ends = [turn for turn in story.turns if turn.end_of_turn and turn.turn_is_formatted]
    assert [turn.turn_order for turn in ends] == list(range(len(ends)))
    errors, words = word_errors(TWO_CITIES_TEXT, " ".join(turn.transcript for turn in ends))
    assert words == 119
    assert errors <= 5

    # A final word never changes: each transcript goes on where the one before it stopped.
    for order in range(len(ends)):
        raw = [t for t in story.turns if t.turn_order == order and not t.turn_is_formatted]
        for before, after in pairwise(raw):
            assert after.transcript.startswith(before.transcript)
    starts = [word.start for turn in ends for word in turn.words]
    assert starts == sorted(starts)


async def test_a_wrong_key_is_an_error_with_its_reason() -> None:
    async with running("echo") as server:
        story = await asyncio.to_thread(stream, server, [bytes(1600)], 16_000, api_key="nobody")
    [error] = story.errors
    assert error.code == 1008
    assert str(error) == "Unauthorized Connection: Invalid API key"
    assert story.begins == []
