import numpy as np
import pytest

from turnwire.cli.level import Level


def told(peak: int, seconds: int = 1) -> str:
    level = Level()
    for _ in range(seconds):
        level.add((peak * np.sin(np.arange(16_000) / 5)).astype("<i2").tobytes())
    return str(level)


@pytest.mark.parametrize(
    ("peak", "sentence"),
    [
        (0, "The audio is mute: every sample is zero."),
        (20, "The audio is silent: its peak is -65 dB."),
        (
            3277,
            "There is sound, perhaps noise or music: its peak is -20 dB, its mean -23 dB.",
        ),
    ],
)
def test_the_sentence_tells_mute_from_silent_from_noise(peak: int, sentence: str) -> None:
    assert told(peak) == sentence


def test_no_audio_is_told_from_silence() -> None:
    assert told(0, seconds=0) == "There was no audio."
