"""Turns that do not end by themselves, and sessions whose last words do not come: real sockets."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest

from tests.support import PATIENCE, TERMINATE, ManualClock, chunks, converse, loud, quiet, serving
from turnwire.recognition import Finished, RecognitionOptions, SpeechEvent
from turnwire.session.states import STALLED_DRAIN_SECONDS
from turnwire.speech.echo import EchoEngine, EchoStream

FORCE_ENDPOINT = json.dumps({"type": "ForceEndpoint"})


class UnfinishedEngine(EchoEngine):
    """Hears everything, and never comes to the end."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    def open(self, *, sample_rate: int, options: RecognitionOptions) -> EchoStream:
        stream = super().open(sample_rate=sample_rate, options=options)
        events = stream.events

        async def unfinished() -> AsyncIterator[SpeechEvent]:
            async for event in events():
                if isinstance(event, Finished):
                    self.asked.set()
                    await asyncio.Event().wait()
                yield event

        stream.events = unfinished  # type: ignore[method-assign]
        return stream


@pytest.mark.parametrize("model", ["universal-streaming-english", "u3-rt-pro"])
async def test_words_at_hand_are_delivered_when_the_engine_does_not_finish(
    model: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine, clock = UnfinishedEngine(), ManualClock()
    async with (
        serving(engine, clock=clock) as server,
        server.connect(f"speech_model={model}") as socket,
    ):
        conversation = asyncio.create_task(converse(socket, [*chunks(loud(500)), TERMINATE]))
        await engine.asked.wait()
        with caplog.at_level(logging.WARNING):
            clock.advance(STALLED_DRAIN_SECONDS + 1)
            said = await conversation
    assert said.transcript == "one two"
    assert [turn["end_of_turn"] for turn in said.messages if turn["type"] == "Turn"][-1]
    assert said.messages[-1]["error_code"] == said.code == 3005
    assert "its last words took the engine too long; the words at hand" in caplog.text
    assert "one two" not in caplog.text


async def test_a_forced_endpoint_without_speech_is_answered_if_silence_is_acknowledged() -> None:
    messages: list[bytes | str] = [*chunks(quiet(300)), FORCE_ENDPOINT, TERMINATE]
    async with serving() as server:
        asked = await server.converse("acknowledge_silence=true", messages)
        not_asked = await server.converse("", messages)
    assert asked.types == ["Begin", "Silence", "Termination"]
    assert (asked.messages[1]["start_ms"], asked.messages[1]["end_ms"]) == (0, 300)
    assert not_asked.types == ["Begin", "Termination"]


async def test_a_forced_endpoint_with_speech_is_answered_by_the_turn_alone() -> None:
    messages: list[bytes | str] = [*chunks(loud(500)), FORCE_ENDPOINT, TERMINATE]
    async with serving() as server:
        said = await server.converse("acknowledge_silence=true", messages)
    assert said.transcript == "one two"
    assert "Silence" not in said.types


@pytest.mark.parametrize("model", ["universal-streaming-english", "u3-rt-pro"])
@pytest.mark.parametrize(("asked", "longest"), [("", 60), ("&max_turn_duration=20000", 20)])
async def test_speech_without_a_pause_is_divided_into_turns(
    model: str, asked: str, longest: int
) -> None:
    async with serving() as server:
        messages: list[bytes | str] = [*chunks(loud(130_000), 1000), TERMINATE]
        said = await server.converse(f"speech_model={model}{asked}", messages)
    ended = said.ends_of_turn
    assert len(ended) > 130 // longest
    assert [turn["turn_order"] for turn in ended] == list(range(len(ended)))
    for turn in ended:
        assert turn["words"][-1]["end"] - turn["words"][0]["start"] <= 1000 * longest
    # No word is lost or comes twice.
    starts = [word["start"] for turn in ended for word in turn["words"]]
    assert starts == list(range(0, 130_000, 250))
    assert max(len(json.dumps(message)) for message in said.messages) < 64 * 1024


async def test_universal_3_says_how_sure_the_end_of_a_turn_is_while_a_pause_lasts() -> None:
    async with serving() as server:
        messages: list[bytes | str] = [*chunks(loud(500) + quiet(1500)), TERMINATE]
        said = await server.converse("speech_model=u3-rt-pro", messages)
    turns = [message for message in said.messages if message["type"] == "Turn"]
    confidences = [turn["end_of_turn_confidence"] for turn in turns]
    assert confidences == sorted(confidences)
    assert confidences[0] == 0.0
    assert any(0 < confidence < 1 for confidence in confidences)
    assert (confidences[-1], turns[-1]["end_of_turn"]) == (1.0, True)


async def test_terminate_and_close_in_one_breath_is_no_client_that_vanished() -> None:
    async with serving() as server:
        async with server.connect() as socket:
            await socket.recv()
            await socket.send(loud(500))
            await socket.send(TERMINATE)
        async with asyncio.timeout(PATIENCE):
            while server.service.open_sessions:
                await asyncio.sleep(0)
        management = server.store.management
        [entry] = await management.sessions(account=None, only_open=False, limit=9)
    assert entry.closure == "session_ended"


async def test_a_client_that_leaves_without_terminate_is_gone() -> None:
    async with serving() as server:
        async with server.connect() as socket:
            await socket.recv()
        async with asyncio.timeout(PATIENCE):
            while server.service.open_sessions:
                await asyncio.sleep(0)
        management = server.store.management
        [entry] = await management.sessions(account=None, only_open=False, limit=9)
    assert entry.closure == "client_gone"
