"""Recordings made harder, the same in every run."""

from pathlib import Path

import numpy as np
import pytest

from turnwire.bench.conditions import CLEAN, Conditions

RATE = 16_000


def tone(hz: float, seconds: float = 1.0) -> bytes:
    at = np.arange(int(RATE * seconds)) / RATE
    return bytes((8000 * np.sin(2 * np.pi * hz * at)).astype("<i2").tobytes())


def level(pcm: bytes) -> float:
    return float(np.sqrt(np.mean(np.frombuffer(pcm, "<i2").astype(float) ** 2)))


def difference(one: bytes, other: bytes, scale: float = 1.0) -> float:
    a, b = (np.frombuffer(each, "<i2").astype(float) for each in (one, other))
    return float(np.sqrt(np.mean((a - scale * b) ** 2)))


def under(conditions: Conditions, pcm: bytes, name: str = "a.wav") -> bytes:
    return conditions.apply(Path(name), pcm, RATE, [tone(300), tone(700)])


def test_nothing_is_done_to_a_clean_recording() -> None:
    assert under(CLEAN, tone(440)) == tone(440)


@pytest.mark.parametrize("db", [5.0, 10.0])
@pytest.mark.parametrize("babble", [False, True])
def test_noise_lies_as_far_below_as_was_asked(babble: bool, db: float) -> None:
    speech = tone(440)
    noisy = under(Conditions(babble_db=db) if babble else Conditions(noise_db=db), speech)
    assert level(noisy) == pytest.approx(level(speech), rel=0.01)
    share = 1 / np.sqrt(1 + 10 ** (-db / 10))
    assert 20 * np.log10(level(speech) * share / difference(noisy, speech, share)) == pytest.approx(
        db, abs=0.3
    )


def test_noise_is_the_same_in_every_run_and_another_for_each_recording() -> None:
    noise = Conditions(noise_db=10)
    assert under(noise, tone(440)) == under(noise, tone(440))
    assert under(noise, tone(440)) != under(noise, tone(440), "b.wav")


@pytest.mark.parametrize(("hz", "passes"), [(100, False), (1000, True), (3900, False)])
def test_a_telephone_passes_its_band(hz: float, passes: bool) -> None:
    heard = under(Conditions(telephone=True), tone(hz))
    assert len(heard) == len(tone(hz))
    assert level(heard) / level(tone(hz)) == pytest.approx(float(passes), abs=0.1)
