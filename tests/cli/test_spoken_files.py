"""Speech in files that people have, through the command and a model: words, and when they come."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import Invoke
from tests.client.media import EVER, RATE, Spoken, inverted, write
from tests.recordings import BECKETT_TEXT
from turnwire.bench.scoring import word_errors
from turnwire.speech.engine import Engine
from turnwire.testing import LocalServer, serving

STEREO = "stereo"


Transcribe = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="module")
def server(tiny_en: Callable[[], Engine]) -> Iterator[LocalServer]:
    with serving(tiny_en()) as server:
        yield server


@pytest.fixture
def transcribed(turnwire: Invoke, server: LocalServer) -> Transcribe:
    """The document that the command writes about a file."""

    def transcribe(path: Path) -> dict[str, Any]:
        options = ("--url", server.host, "--api-key", server.api_key, "--format", "json")
        result = turnwire("transcribe", path, *options)
        assert result.exit_code == 0
        document: dict[str, Any] = json.loads(result.stdout)
        return document

    return transcribe


def assert_said(text: str, *expected: str) -> None:
    errors, words = word_errors(" ".join(expected), text)
    assert errors <= words / 6, text


def test_inverted_channels(transcribed: Transcribe, tmp_path: Path) -> None:
    track = Spoken([(0, inverted(EVER))], layout=STEREO)
    document = transcribed(write(tmp_path / "a.wav", track, codec="pcm_s16le"))
    assert_said(document["text"], BECKETT_TEXT)


def test_a_track_that_begins_late(transcribed: Transcribe, tmp_path: Path) -> None:
    late = transcribed(write(tmp_path / "b.mkv", Spoken([(4, EVER)]), video=14))
    assert_said(late["text"], BECKETT_TEXT)
    first_word = np.argmax(np.abs(EVER) > 1000) / RATE
    assert late["words"][0]["start"] == pytest.approx(1000 * (4 + first_word), abs=400)
    assert late["audio_duration_seconds"] == 14


def test_a_hole(transcribed: Transcribe, tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", Spoken([(0, EVER), (15, EVER)]))
    document = transcribed(path)
    assert_said(document["text"], BECKETT_TEXT, BECKETT_TEXT)
    starts = [word["start"] for word in document["words"]]
    assert not [start for start in starts if 10_500 < start < 14_900]
    assert len([start for start in starts if start > 14_900]) == pytest.approx(12, abs=1)
    assert document["audio_duration_seconds"] == 25


@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "libmp3lame"), ("a.opus", "libopus")])
def test_joined_files_of_other_forms(
    transcribed: Transcribe, tmp_path: Path, name: str, codec: str
) -> None:
    first, second = (
        write(tmp_path / f"{track.layout}-{name}", track, codec=codec).read_bytes()
        for track in (
            Spoken([(0, EVER)], rate=48_000),
            Spoken(
                [(0, np.repeat(EVER, 2))],
                layout=STEREO,
                rate=48_000 if codec == "libopus" else 44_100,
            ),
        )
    )
    (tmp_path / name).write_bytes(first + second)
    document = transcribed(tmp_path / name)
    assert_said(document["text"], BECKETT_TEXT, BECKETT_TEXT)
    assert document["audio_duration_seconds"] == pytest.approx(2 * len(EVER) / RATE, abs=1)
