"""What is taken out of audio before it is judged, and what is left alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.recordings import samples
from turnwire.speech.cleaning import Cleaner
from turnwire.speech.decoding import RATE
from turnwire.speech.voice import FRAME

T = np.arange(6 * RATE // FRAME * FRAME) / RATE


def cleaned(audio: NDArray[np.float64]) -> NDArray[np.float32]:
    """What is left of audio, -1 to 1."""
    clean = Cleaner(FRAME)
    frames = np.rint(audio * 32767).astype(np.int16)
    return np.concatenate([clean(frame) for frame in frames.reshape(-1, FRAME)])


def level(audio: NDArray[np.float32] | NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(audio))))


def hum(mains: int) -> NDArray[np.float64]:
    waves = [0.1 / k * np.sin(2 * np.pi * k * mains * T + k) for k in (1, 2, 3)]
    return np.asarray(np.sum(waves, axis=0))


def test_an_offset_is_taken_out_at_once() -> None:
    assert level(cleaned(np.full(len(T), 0.1))) < 1e-3


@pytest.mark.parametrize("mains", [50, 60])
def test_hum_is_taken_out_within_seconds(mains: int) -> None:
    left = cleaned(hum(mains))
    assert level(left[4 * RATE :]) < level(hum(mains)) / 100


def test_speech_and_tones_are_left_as_they_are() -> None:
    speech, _ = samples("beckett.wav")
    frames = speech[: len(speech) // FRAME * FRAME].reshape(-1, FRAME)
    clean = Cleaner(FRAME)
    assert all(np.array_equal(clean(frame), frame / np.float32(32768)) for frame in frames)
    tone = 0.3 * np.sin(2 * np.pi * 440 * T)
    assert level(cleaned(tone)[RATE:]) == pytest.approx(level(tone[RATE:]), rel=1e-3)
