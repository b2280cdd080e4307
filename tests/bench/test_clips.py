"""Which recordings of a folder are played, and in what order."""

import json
from pathlib import Path

import pytest

from tests.bench.support import write_wave
from tests.support import loud
from turnwire.bench import BenchError
from turnwire.bench.clips import Clip, read_clips
from turnwire.bench.session_audio import conversation


def clip(frames: int, name: str = "clip") -> Clip:
    return Clip(Path(name), None, 16_000, tuple(b"%d" % number for number in range(frames)))


def test_without_a_manifest_everything_with_audio_in_it_is_played(tmp_path: Path) -> None:
    write_wave(tmp_path / "b.wav", loud(120), 8_000)
    write_wave(tmp_path / "a.wav", loud(100), 16_000)
    (tmp_path / "LICENCE").write_text("Public domain.")
    first, second = read_clips(tmp_path)
    assert (first.path.name, second.path.name) == ("a.wav", "b.wav")
    # Resampled; what is left over is filled up. A frame is 1,600 bytes behind a header of 8.
    assert {len(frame) for frame in (*first.frames, *second.frames)} == {1608}
    assert (len(first.frames), first.reference) == (2, None)
    assert len(second.frames) == 5


def test_a_manifest_says_what_is_played_and_what_is_said(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav", "c.wav"):
        write_wave(tmp_path / name, loud(100), 22_050)
    rows = [
        {"file": "c.wav", "reference": "one", "ref_kind": "source"},
        {"file": "a.wav", "reference": "two?", "ref_kind": "approx"},
    ]
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)))
    clips = read_clips(tmp_path, sample_rate=None)
    assert [(each.path.name, each.reference) for each in clips] == [
        ("c.wav", "one"),
        ("a.wav", None),
    ]
    assert clips[0].sample_rate == 22_050


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        (None, "There is no audio in"),
        ("{", "is not as it should be"),
        ('{"reference": "one"}', "is not as it should be: KeyError"),
        ('{"file": "absent.wav"}', "Cannot read"),
    ],
)
def test_a_folder_that_cannot_be_played(
    tmp_path: Path, manifest: str | None, sentence: str
) -> None:
    if manifest is not None:
        (tmp_path / "manifest.jsonl").write_text(manifest)
    with pytest.raises(BenchError, match=sentence):
        read_clips(tmp_path)


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="No such file"):
        read_clips(tmp_path / "absent")


def test_continuous_speech_lasts_as_long_as_it_should() -> None:
    audio = conversation([clip(30), clip(50)], seconds=10, duty=1.0, seed=3)
    assert audio.seconds == 10
    assert all(passage.clip for passage in audio.passages)
    first, *inner, last = audio.passages
    # It begins in the middle of a clip.
    assert first.whole == (first.frames[0] == b"0")
    assert all(passage.whole for passage in inner)
    assert last.frames[0] == b"0"


def test_half_of_a_conversation_is_silence() -> None:
    audio = conversation([clip(30), clip(50)], seconds=60, duty=0.5, seed=1)
    assert audio.seconds == 60
    for spoken, quiet in zip(audio.passages[:-2:2], audio.passages[1:-1:2], strict=True):
        assert spoken.clip is not None
        assert quiet.clip is None
        assert len(quiet.frames) == len(spoken.frames)


def test_the_same_seed_plays_the_same() -> None:
    clips = [clip(10, "a"), clip(20, "b"), clip(30, "c")]
    audios = [conversation(clips, 20, 0.5, seed) for seed in (1, 1, 2)]
    first, same, other = (
        [(passage.clip, len(passage.frames)) for passage in audio.passages] for audio in audios
    )
    assert first == same != other
