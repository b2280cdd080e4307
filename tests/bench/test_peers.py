"""The comparison with other servers, `benchmarks/peers`: what each says, understood and timed."""

import json
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.peers import measuring, playing
from benchmarks.peers.dialogue import Dialogue, Text
from benchmarks.peers.drawing import draw
from benchmarks.peers.ours import Turnwire, TurnwireDialogue
from benchmarks.peers.playing import Recording, Take
from benchmarks.peers.servers import PeerError, serving
from benchmarks.peers.whisperlive import WhisperLiveDialogue
from benchmarks.peers.whisperlivekit import WhisperLiveKit, WhisperLiveKitDialogue
from tests.recordings import recording
from turnwire.bench.clips import read_clip
from turnwire.bench.scoring import normalise


def told(dialogue: Dialogue, *messages: dict[str, Any]) -> Text:
    for message in messages:
        dialogue.receive(json.dumps(message))
    return dialogue.text


def test_whisperlivekit() -> None:
    dialogue = WhisperLiveKitDialogue()
    told(dialogue, {"type": "config"})
    assert dialogue.begun
    lines = [{"speaker": 1, "text": " Hello"}, {"speaker": -2, "text": ""}, {"text": "there"}]
    assert told(dialogue, {"lines": lines, "buffer_transcription": " you"}) == Text(
        "Hello there", "you"
    )
    told(dialogue, {"type": "ready_to_stop"})
    assert dialogue.over
    assert dialogue.text.shown == "Hello there you"


def test_whisperlive() -> None:
    def segment(start: str, text: str, completed: bool) -> dict[str, Any]:
        return {"start": start, "end": "9.000", "text": text, "completed": completed}

    dialogue = WhisperLiveDialogue()
    told(dialogue, {"message": "SERVER_READY"})
    assert dialogue.begun
    assert told(dialogue, {"segments": [segment("0.000", " Hello", False)]}) == Text("", "Hello")
    # Segments that were completed leave the messages at some time.
    told(dialogue, {"segments": [segment("0.000", " Hello", True)]})
    last = {"segments": [segment("10.000", " there", True), segment("12.000", "you", False)]}
    assert told(dialogue, last) == Text("Hello there", "you")


def test_turnwire() -> None:
    def turn(end: bool, order: int, *words: tuple[str, bool]) -> dict[str, Any]:
        return {
            "type": "Turn",
            "turn_order": order,
            "end_of_turn": end,
            "transcript": " ".join(text for text, final in words if final),
            "words": [{"text": text, "word_is_final": final} for text, final in words],
        }

    dialogue = TurnwireDialogue()
    told(dialogue, {"type": "Begin"})
    assert dialogue.begun
    assert told(dialogue, turn(False, 0, ("hello", True), ("there", False))) == Text(
        "hello", "there"
    )
    assert told(
        dialogue,
        turn(True, 0, ("hello", True), ("there", True)),
        turn(True, 0, ("Hello", True), ("there.", True)),
        turn(False, 1, ("you", False)),
    ) == Text("Hello there.", "you")
    told(dialogue, {"type": "Termination"})
    assert dialogue.over


def take(*heard: tuple[float, str, str]) -> Take:
    """One second of silence, two of speech and one of silence, sent from 100 s on."""
    sent = [100 + 0.05 * number for number in range(1, 81)]
    return Take(
        Recording(bytes(4 * 32_000), 1.0, 3.0),
        sent,
        [(at, Text(final, tentative)) for at, final, tentative in heard],
    )


def test_text_is_timed_by_when_its_words_changed() -> None:
    timed = measuring._timed(
        take((101.5, "", "one"), (103.2, "one", "two"), (103.5, "one two", ""), (103.9, "One.", ""))
    )
    assert timed.first == pytest.approx(0.5)
    # The last message took a word back.
    assert timed.whole == pytest.approx(0.9)
    assert timed.final == pytest.approx(0.9)
    # How it is written is no change of words.
    timed = measuring._timed(
        take((101.5, "", "one two"), (103.6, "one two", ""), (109, "One, two.", ""))
    )
    assert timed.whole == pytest.approx(-1.5)
    assert timed.final == pytest.approx(0.6)


def test_words_that_are_never_final_are_known() -> None:
    timed = measuring._timed(take((101.5, "", "one"), (104.0, "one", "two")))
    assert timed.whole == pytest.approx(1.0)
    assert timed.final is None
    assert not measuring._timed(take()).held
    assert not measuring._timed(take((101.5, "", "one"), (106.5, "", "one two"))).held
    assert measuring._timed(take((101.5, "", "one"), (105.5, "", "one two"))).held


async def test_a_recording_is_played_to_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "SILENCE_SECONDS", 0.2)
    tone = Recording(np.full(12_000, 8000, "<i2").tobytes(), 0.0, 0.75)
    async with serving(Turnwire(), Path(sys.executable), Path("echo")) as server:
        before = server.cpu_seconds()
        take = await playing.play(server, tone)
        assert server.cpu_seconds() > before
    assert take.failed is None
    assert len(take.sent) == 19
    assert (normalise(take.text.final), take.text.tentative) == ("one two three", "")
    assert len(take.heard) > 1


async def test_a_server_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(measuring, "WARM_UP_SECONDS", 0.2)
    speech = read_clip(recording("two_cities.wav"))
    two_seconds = replace(speech, pcm=speech.pcm[: 2 * 32_000], reference="it was the best")
    figures = await measuring.measure(
        Turnwire(), Path(sys.executable), Path("echo"), [two_seconds], seconds=0
    )
    assert (figures.name, figures.version) == ("Turnwire", metadata.version("turnwire"))
    assert (figures.recordings, figures.failed, figures.speech_seconds) == (1, 0, 2.0)
    assert figures.words is not None
    assert figures.words.words == 4
    assert figures.cpu_ms_per_speech_second > 0
    assert figures.first_text is not None
    assert figures.all_text is not None
    assert (figures.sessions, figures.steps) == (None, [])


async def test_a_server_that_is_not_there() -> None:
    with pytest.raises(PeerError, match=r"WhisperLiveKit cannot be started: .*No such file"):
        async with serving(WhisperLiveKit(), Path("/nowhere/python"), Path("/nowhere")):
            pass


async def test_a_server_that_ends_at_once() -> None:
    with pytest.raises(PeerError, match="Turnwire ended at once"):
        async with serving(Turnwire(), Path(sys.executable), Path("/nowhere/model")):
            pass


def test_a_comparison_is_drawn_with_what_is_missing() -> None:
    peer = {
        "name": "A <server>",
        "cpu_ms_per_speech_second": 1234.5,
        "words": {"percent": 4.5},
        "first_text": {"p50": 800.0},
        "all_text": None,
        "sessions": 3,
    }
    machine = {"cpu": "a CPU", "cores": 2, "date": "2026-01-01"}
    svg = draw({"model": "tiny.en", "clips": 3, "machine": machine, "peers": [peer]})
    for said in ("A &lt;server&gt;", "1,234 ms", "4.5 %", "800 ms", "none", "a CPU, 2 cores"):
        assert said in svg
