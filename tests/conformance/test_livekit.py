"""LiveKit's plugin, unmodified."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from livekit import rtc
from livekit.agents import APIConnectOptions, APIStatusError
from livekit.agents.stt import SpeechEvent, SpeechEventType
from livekit.plugins import assemblyai

from tests.conformance.passage import CHUNKS, RATE, SILENCE, assert_heard
from tests.conformance.recorder import nearly_all_is_heard
from turnwire.testing import LocalServer
from turnwire.wire.closure import Closure

CLASSIC: dict[str, Any] = {"model": "universal-streaming-english"}


@asynccontextmanager
async def stream(
    host: str,
    key: str,
    chunks: Sequence[bytes] = CHUNKS,
    *,
    retries: int = 0,
    **options: Any,
) -> AsyncIterator[Any]:
    """A speech stream into which these chunks were spoken."""
    async with aiohttp.ClientSession() as http:
        stt = assemblyai.STT(api_key=key, base_url=host, http_session=http, **options)
        connecting = APIConnectOptions(max_retry=retries, retry_interval=0.1)
        async with stt.stream(conn_options=connecting) as stream:
            speak(stream, chunks)
            yield stream


def speak(stream: Any, chunks: Sequence[bytes]) -> None:
    for chunk in chunks:
        stream.push_frame(rtc.AudioFrame(chunk, RATE, 1, len(chunk) // 2))


def texts(events: Sequence[SpeechEvent], kind: SpeechEventType) -> list[str]:
    return [event.alternatives[0].text for event in events if event.type == kind]


async def heard(stream: Any) -> list[SpeechEvent]:
    """Everything, after the end of the input."""
    stream.end_input()
    return [event async for event in stream]


async def all_of(stream: Any) -> list[SpeechEvent]:
    """What comes of the passage, once all of it was said."""
    await nearly_all_is_heard()
    return await heard(stream)


@pytest.mark.parametrize("options", [CLASSIC, {**CLASSIC, "format_turns": True}, {}])
async def test_the_passage_is_transcribed(server: LocalServer, options: dict[str, Any]) -> None:
    async with stream(server.host, server.api_key, **options) as spoken:
        events = await all_of(spoken)
    finals = texts(events, SpeechEventType.FINAL_TRANSCRIPT)
    assert_heard(*finals)
    assert finals[-1] == ("fail better" if options == CLASSIC else "Fail better.")
    # Each final is followed by the end of its speech, and comes after what it was heard from.
    kinds = [event.type for event in events if event.type != SpeechEventType.RECOGNITION_USAGE]
    ends = [at for at, kind in enumerate(kinds) if kind == SpeechEventType.END_OF_SPEECH]
    assert [kinds[at - 1] for at in ends] == [SpeechEventType.FINAL_TRANSCRIPT] * len(finals)
    assert kinds[-1] == SpeechEventType.END_OF_SPEECH
    assert SpeechEventType.INTERIM_TRANSCRIPT in kinds


async def test_the_newer_models_tell_when_speech_starts(server: LocalServer) -> None:
    async with stream(server.host, server.api_key) as spoken:
        events = await all_of(spoken)
    kinds = [event.type for event in events]
    starts = [event for event in events if event.type == SpeechEventType.START_OF_SPEECH]
    assert len(starts) == kinds.count(SpeechEventType.FINAL_TRANSCRIPT) > 1
    # Before all else of its turn, and on the clock of the stream.
    assert kinds[0] == SpeechEventType.START_OF_SPEECH
    assert 0 < starts[0].speech_start_time - spoken.start_time < 0.5


async def test_every_utterance_is_a_preflight_once(server: LocalServer) -> None:
    async with stream(server.host, server.api_key, **CLASSIC, format_turns=True) as spoken:
        events = await all_of(spoken)
    assert_heard(*texts(events, SpeechEventType.PREFLIGHT_TRANSCRIPT))


async def test_its_chunks_may_be_a_little_too_short(server: LocalServer) -> None:
    # At 22,050 Hz it sends 49.98 ms at a time.
    async with stream(server.host, server.api_key, sample_rate=22_050, **CLASSIC) as spoken:
        assert_heard(*texts(await all_of(spoken), SpeechEventType.FINAL_TRANSCRIPT))


async def test_a_forced_endpoint_ends_the_turn(server: LocalServer) -> None:
    silences = {"min_turn_silence": 9000, "max_turn_silence": 9000}
    async with stream(server.host, server.api_key, CHUNKS[:61], **CLASSIC, **silences) as spoken:
        async for event in spoken:
            if event.type == SpeechEventType.INTERIM_TRANSCRIPT:
                spoken.force_endpoint()
            if event.type == SpeechEventType.FINAL_TRANSCRIPT:
                break
    assert event.alternatives[0].text.startswith("ever")


async def test_chunks_that_a_flush_cuts_short_are_let_pass(server: LocalServer) -> None:
    tail = CHUNKS[61][:640]
    async with stream(server.host, server.api_key, [*CHUNKS[:61], tail], **CLASSIC) as spoken:
        spoken.flush()
        speak(spoken, CHUNKS[62:])
        assert_heard(*texts(await all_of(spoken), SpeechEventType.FINAL_TRANSCRIPT))


async def test_an_ending_is_an_exception_with_its_code(
    server: LocalServer, ending: Closure
) -> None:
    place = server.rehearsal(ending.row.name)
    async with stream(place.host, server.api_key, [SILENCE]) as spoken:
        with pytest.raises(APIStatusError) as told:
            await anext(spoken)
    assert told.value.status_code == ending.code
    assert repr(ending.reason) in told.value.body
    assert told.value.retryable


async def test_after_an_ending_it_goes_on_in_a_new_session(
    server: LocalServer, ending: Closure
) -> None:
    place = server.rehearsal(ending.row.name, "ok")
    async with stream(place.host, server.api_key, [], retries=1, **CLASSIC) as spoken:
        while spoken._num_retries == 0:  # what is said before is said to the first session
            await asyncio.sleep(0)
        speak(spoken, CHUNKS)
        assert_heard(*texts(await all_of(spoken), SpeechEventType.FINAL_TRANSCRIPT))


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"key": "nobody"}, 1008),
        ({"sample_rate": 4000}, 3006),
        ({"buffer_size_seconds": 0.02}, 3007),
    ],
    ids=["wrong key", "rate too low", "chunks too short"],
)
async def test_what_a_client_does_wrong_is_told(
    server: LocalServer, options: dict[str, Any], code: int
) -> None:
    async with stream(server.host, **{"key": server.api_key, **options}) as spoken:
        with pytest.raises(APIStatusError) as told:
            async for _ in spoken:
                pass
    assert told.value.status_code == code


async def test_context_that_is_too_long_is_told(server: LocalServer) -> None:
    async with stream(server.host, server.api_key, [SILENCE]) as spoken:
        spoken.update_options(prompt="x" * 1751)
        with pytest.raises(APIStatusError) as told:
            await anext(spoken)
    assert told.value.status_code == 3006
