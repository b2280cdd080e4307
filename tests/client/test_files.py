import wave
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

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
