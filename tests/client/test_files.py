import re
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.client.media import EVER, RATE, Spoken, inverted, write
from turnwire.client import AudioFile, AudioFileError


def tone(seconds: float, rate: int) -> NDArray[np.int16]:
    times = np.arange(round(seconds * rate)) / rate
    return (np.sin(2 * np.pi * 440 * times) * 12_000).astype("<i2")


def write_wav(path: Path, samples: NDArray[np.int16], rate: int, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def read(file: AudioFile) -> NDArray[np.int16]:
    return np.frombuffer(b"".join(file), "<i2")


def test_pcm_at_the_files_own_rate_comes_out_as_it_went_in(tmp_path: Path) -> None:
    samples = tone(0.5, 22_050)
    with AudioFile(write_wav(tmp_path / "a.wav", samples, 22_050)) as file:
        assert file.sample_rate == 22_050
        assert file.duration_seconds == 0.5
        assert np.array_equal(read(file), samples)


def test_another_rate_keeps_the_duration(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(0.5, 48_000), 48_000)
    with AudioFile(path, sample_rate=16_000) as file:
        assert file.sample_rate == 16_000
        assert file.duration_seconds == 0.5
        assert len(read(file)) == pytest.approx(8000, abs=32)


def test_two_channels_become_their_mix(tmp_path: Path) -> None:
    left = tone(0.1, 16_000)
    both = np.column_stack([left, np.zeros_like(left)]).reshape(-1)
    with AudioFile(write_wav(tmp_path / "a.wav", both, 16_000, channels=2)) as file:
        mixed = read(file)
    assert len(mixed) == len(left)
    assert 0.3 * left.max() < mixed.max() < 0.8 * left.max()


def test_a_compressed_file(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            tone(1, 16_000).reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with AudioFile(path) as file:
        assert np.array_equal(read(file), tone(1, 16_000))


def test_damage_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.mp3"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libmp3lame", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            tone(5, 16_000).reshape(1, -1), format="s16p", layout="mono"
        )
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    whole = path.read_bytes()
    half = len(whole) // 2
    path.write_bytes(whole[:half] + b"garbage" * 300 + whole[half:])
    with AudioFile(path) as file:
        assert len(read(file)) > 4.5 * 16_000
    assert "is damaged; packets passed over: " in caplog.text


def test_a_stream_that_does_not_declare_its_length(tmp_path: Path) -> None:
    path = tmp_path / "a.aac"
    with av.open(str(path), "w", format="adts") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            (tone(1, 16_000) / 32768).astype(np.float32).reshape(1, -1),
            format="fltp",
            layout="mono",
        )
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with AudioFile(path) as file:
        assert file.duration_seconds is None or 0.5 < file.duration_seconds < 2
        assert len(read(file)) == pytest.approx(16_000, abs=2100)


def test_a_file_is_decoded_as_it_is_asked_for(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(20, 16_000), 16_000)
    with AudioFile(path) as file:
        assert len(next(iter(file))) < 200_000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.wav", None, "Cannot read .*absent.wav: No such file or directory."),
        ("empty.wav", b"", "empty.wav is not an audio file that can be read"),
        ("notes.txt", b"Dear diary\n" * 99, "notes.txt"),
        ("noise.wav", b"RIFFxxxx" + bytes(range(256)), "noise.wav"),
    ],
)
def test_what_is_no_audio_file(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AudioFileError, match=message):
        AudioFile(tmp_path / name)


def test_a_directory_is_no_audio_file(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="Is a directory"):
        AudioFile(tmp_path)


def test_pictures_have_no_audio(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(AudioFileError, match="has no audio in it"):
        AudioFile(path)


LINES = EVER[: 4 * RATE]
"""Four seconds of speech."""


def heard(path: Path) -> NDArray[np.int16]:
    with AudioFile(path, sample_rate=RATE) as file:
        return read(file)


def speaks(samples: NDArray[np.int16], start: float, end: float) -> bool:
    """Whether anything is heard between these seconds."""
    part = samples[round(start * RATE) : round(end * RATE)].astype(float)
    return bool(len(part)) and float(np.sqrt((part**2).mean())) > 100


def likeness(heard: NDArray[np.int16], said: NDArray[np.int16], start: float) -> float:
    """How much of what was said is found where it should begin, give or take an encoder's delay."""
    at = round(start * RATE)
    part = heard[max(at - 2000, 0) : at + len(said) + 2000].astype(float)
    products = np.correlate(part, said.astype(float), "valid")
    energy = np.sqrt((part**2).sum() * (said.astype(float) ** 2).sum())
    return float(np.abs(products).max() / energy)


def test_inverted_channels_give_the_voice(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", inverted(LINES), RATE, channels=2)
    assert likeness(heard(path), LINES, 0) > 0.99


@pytest.mark.parametrize(
    ("name", "codec", "rates"),
    [
        ("a.mp3", "libmp3lame", (16_000, 44_100)),
        ("a.aac", "aac", (16_000, 44_100)),
        ("a.opus", "libopus", (48_000, 48_000)),
    ],
)
def test_files_of_other_rates_and_channels_that_were_joined(
    tmp_path: Path, name: str, codec: str, rates: tuple[int, int]
) -> None:
    tracks = (
        Spoken([(0, LINES)], rate=rates[0]),
        Spoken([(0, np.repeat(LINES, 2))], rate=rates[1], layout="stereo"),
    )
    parts = [write(tmp_path / f"{track.layout}{name}", track, codec=codec) for track in tracks]
    path = tmp_path / name
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    samples = heard(path)
    assert len(samples) / RATE == pytest.approx(8, abs=0.3)
    assert likeness(samples, LINES, 0) > 0.9
    assert likeness(samples, LINES, len(samples) / RATE - 4) > 0.8


def test_many_links_are_read_one_after_the_other(tmp_path: Path) -> None:
    one, two = (
        write(tmp_path / f"{layout}.opus", track, codec="libopus").read_bytes()
        for layout, track in {
            "mono": Spoken([(0, LINES[:RATE])], rate=48_000),
            "stereo": Spoken([(0, np.repeat(LINES[:RATE], 2))], layout="stereo", rate=48_000),
        }.items()
    )
    path = tmp_path / "a.opus"
    path.write_bytes(one + two + two + one)
    with AudioFile(path, sample_rate=RATE) as file:
        assert file.duration_seconds == pytest.approx(4, abs=0.1)
        assert len(read(file)) / RATE == pytest.approx(4, abs=0.1)


def test_a_track_that_begins_late_is_silent_until_then(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", Spoken([(4, LINES)]), video=8)
    samples = heard(path)
    assert len(samples) / RATE == pytest.approx(8, abs=0.2)
    assert not speaks(samples, 0, 3.9)
    assert likeness(samples, LINES, 4) > 0.95


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts"])
def test_a_hole_in_the_time_stamps_is_silence(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, Spoken([(0, LINES), (9, LINES)]))
    samples = heard(path)
    assert len(samples) / RATE == pytest.approx(13, abs=0.2)
    assert likeness(samples, LINES, 0) > 0.95
    assert not speaks(samples, 4.2, 8.8)
    assert likeness(samples, LINES, 9) > 0.95


def test_what_is_there_twice_is_heard_once(tmp_path: Path) -> None:
    twice = Spoken([(0, LINES[: 3 * RATE]), (2, LINES[2 * RATE :])])
    path = write(tmp_path / "a.ts", twice)
    samples = heard(path)
    assert len(samples) / RATE == pytest.approx(4, abs=0.2)
    assert likeness(samples, LINES, 0) > 0.9


def test_a_wild_stamp_is_ignored_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = write(tmp_path / "1.ts", Spoken([(0, LINES)])).read_bytes()
    path = tmp_path / "a.ts"
    path.write_bytes(one * 2)
    samples = heard(path)
    assert len(samples) / RATE == pytest.approx(8, abs=0.3)
    assert "time stamps that cannot be right: 1" in caplog.text


def test_damaged_frames_leave_what_follows_in_its_place(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", Spoken([(0, LINES), (4, LINES)]))
    whole = bytearray(path.read_bytes())
    third = len(whole) // 3
    whole[third : third + 3000] = bytes(3000)
    path.write_bytes(whole)
    assert likeness(heard(path), LINES[2 * RATE :], 6) > 0.85


SILENT = np.zeros_like(LINES)


def test_the_default_track_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.mkv",
        Spoken([(0, SILENT)], language="eng"),
        Spoken([(0, LINES)], language="deu", default=True, metadata={"title": "Talk"}),
    )
    with AudioFile(path, sample_rate=RATE) as file:
        assert [str(track) for track in file.tracks] == ["1 (eng)", '2 (deu, "Talk", default)']
        assert file.track.number == 2
        assert likeness(read(file), LINES, 0) > 0.95


@pytest.mark.parametrize(
    ("track", "number"), [(1, 1), (2, 2), ("2", 2), ("ger", 2), ("de", 2), ("en-US", 1), (None, 1)]
)
def test_a_track_is_chosen_by_number_or_language(
    tmp_path: Path, track: int | str | None, number: int
) -> None:
    path = write(
        tmp_path / "a.mkv",
        Spoken([(0, SILENT)], language="eng"),
        Spoken([(0, LINES)], language="ger"),
    )
    with AudioFile(path, track=track) as file:
        assert file.track.number == number


@pytest.mark.parametrize("track", [0, 3, "fr"])
def test_a_track_that_is_not_there(tmp_path: Path, track: int | str) -> None:
    path = write(tmp_path / "a.mkv", Spoken([(0, LINES)], language="eng"))
    with pytest.raises(AudioFileError, match=rf"no audio track {track}. Its tracks: 1 \(eng"):
        AudioFile(path, track=track)


@pytest.mark.parametrize(
    ("name", "codec", "faststart"),
    [
        ("a.wav", "pcm_s16le", False),
        ("a.flac", "flac", False),
        ("a.mp3", "libmp3lame", False),
        ("a.mkv", "aac", False),
        ("a.mp4", "aac", True),
    ],
)
def test_a_file_that_was_cut_is_told(
    tmp_path: Path,
    name: str,
    codec: str,
    faststart: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = write(tmp_path / name, Spoken([(0, LINES)]), codec=codec, faststart=faststart)
    assert len(heard(path)) / RATE == pytest.approx(4, abs=0.2)
    assert caplog.text == ""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 + 1])
    assert len(heard(path)) / RATE == pytest.approx(2, abs=0.5)
    assert re.search(r"says that it is 4\.\d s long, and ends after [12]\.\d s", caplog.text)
