"""The engine without a model, and with it the rules that every engine keeps."""

import asyncio

import numpy as np

from turnwire.recognition import (
    Finished,
    Marked,
    Partial,
    Pause,
    RecognitionOptions,
    SpeechEvent,
    SpeechStarted,
)
from turnwire.speech import load_engine
from turnwire.speech.echo import EchoEngine, EchoStream
from turnwire.speech.engine import Samples

RATE = 8000


def loud(ms: int) -> Samples:
    return np.full(RATE * ms // 1000, 5000, np.int16)


def quiet(ms: int) -> Samples:
    return np.zeros(RATE * ms // 1000, np.int16)


def stream(*script: str) -> EchoStream:
    engine = EchoEngine(script) if script else EchoEngine()
    return engine.open(sample_rate=RATE, options=RecognitionOptions(vad_threshold=0.5))


async def hear(ear: EchoStream, *audio: Samples) -> list[SpeechEvent]:
    for samples in audio:
        await ear.feed(samples)
    ear.finish()
    return [event async for event in ear.events()]


def texts(event: SpeechEvent) -> str:
    assert not isinstance(event, SpeechStarted)
    return " ".join(word.text for word in event.words)


async def test_every_quarter_second_speaks_a_word() -> None:
    events = await hear(stream(), quiet(100), loud(500), quiet(150))
    assert events[0] == SpeechStarted(100, 1.0)
    first, second, pause, longer, finished = events[1:]
    assert isinstance(first, Partial)
    assert (texts(first), first.stable) == ("one", 0)
    assert isinstance(second, Partial)
    assert (texts(second), second.stable) == ("one two", 1)
    assert [(word.start, word.end) for word in second.words] == [(100, 350), (350, 600)]
    assert isinstance(pause, Pause)
    assert (pause.since, pause.until) == (600, 700)
    assert isinstance(longer, Pause)
    assert (longer.since, longer.until) == (600, 750)
    assert finished == Finished(second.words, 750, 0.1)


async def test_silence_speaks_nothing() -> None:
    assert await hear(stream(), quiet(2500)) == [
        Pause((), 0, 1000, 0.0),
        Pause((), 0, 2000, 0.0),
        Finished((), 2500, 0.0),
    ]


async def test_a_voice_is_measured_since_it_was_asked_last() -> None:
    ear = stream()
    await hear(ear, quiet(100), loud(50))
    assert [ear.voice_peak(), ear.voice_peak()] == [1.0, 0.0]


async def test_the_script_goes_on_after_a_cut_and_starts_again_at_its_end() -> None:
    ear = stream("Ever", "tried.")
    await ear.feed(loud(500))
    await ear.feed(quiet(100))
    await ear.feed(loud(250))
    ear.finish()
    heard = []
    async for event in ear.events():
        if isinstance(event, Pause | Finished):
            heard.append((texts(event), event.completeness))
            ear.cut()
    assert heard == [("Ever tried.", 0.9), ("Ever", 0.1)]


async def test_a_mark_is_answered_where_it_was_made() -> None:
    ear = stream()
    await ear.feed(loud(260))
    ear.mark()
    await ear.feed(loud(240))
    events = await hear(ear)
    marked = next(event for event in events if isinstance(event, Marked))
    assert (texts(marked), marked.at) == ("one", 260)
    assert texts(events[-1]) == "one two"


async def test_pieces_make_no_difference() -> None:
    audio = np.concatenate((quiet(130), loud(777), quiet(333), loud(444), quiet(61)))
    whole = await hear(stream(), audio)
    assert await hear(stream(), *np.array_split(audio, 97)) == whole


async def test_feed_waits_while_a_minute_of_audio_does() -> None:
    ear = stream()
    await ear.feed(quiet(61_000))
    feeding = asyncio.create_task(ear.feed(quiet(50)))
    await asyncio.sleep(0)
    assert not feeding.done()
    ear.finish()
    await anext(ear.events())
    await feeding


async def test_close_ends_the_events_and_a_feed_that_waits() -> None:
    ear = stream()
    listening = asyncio.ensure_future(anext(ear.events(), None))
    await asyncio.sleep(0)
    await ear.close()
    assert await listening is None
    await ear.close()

    ear = stream()
    await ear.feed(quiet(61_000))
    feeding = asyncio.create_task(ear.feed(quiet(50)))
    await asyncio.sleep(0)
    await ear.close()
    await feeding


async def test_is_loaded_by_name() -> None:
    engine = load_engine("echo")
    assert engine.name == "echo"
    await engine.close()
