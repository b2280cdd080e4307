"""Pauses out of probabilities, and probabilities out of sound."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from tests.recordings import samples
from turnwire.speech.decoding import RATE
from turnwire.speech.engine import Samples
from turnwire.speech.voice import FRAME, Change, Segmenter, Silero, VoiceDetector

THRESHOLD = 0.5


def changes(probabilities: Sequence[float]) -> list[tuple[int, Change]]:
    """Which frames change something."""
    segmenter = Segmenter()
    heard = [
        segmenter.push(probability, THRESHOLD, (i + 1) * FRAME)
        for i, probability in enumerate(probabilities)
    ]
    return [(i, change) for i, change in enumerate(heard) if change is not None]


def test_a_single_frame_is_no_speech() -> None:
    assert changes([0, 0.9, 0, 0.9, 0]) == []


def test_speech_starts_with_two_frames() -> None:
    segmenter = Segmenter()
    assert segmenter.push(0.1, THRESHOLD, FRAME) is None
    assert segmenter.push(0.5, THRESHOLD, 2 * FRAME) is None
    assert segmenter.push(0.5, THRESHOLD, 3 * FRAME) is Change.STARTED
    assert segmenter.speaking
    assert (segmenter.began, segmenter.ended) == (FRAME, 3 * FRAME)


def test_a_pause_is_several_frames_clearly_below_the_threshold() -> None:
    quiet = [0.1] * Segmenter.PAUSE_FRAMES
    assert changes([0.9, 0.9, *quiet]) == [(1, Change.STARTED), (len(quiet) + 1, Change.PAUSED)]
    assert changes([0.9, 0.9, *quiet[1:], 0.4, *quiet[1:]]) == [(1, Change.STARTED)]


def test_a_pause_may_be_asked_to_be_longer_and_has_come_once_less_is_asked() -> None:
    segmenter = Segmenter()
    frames = [0.9] * 2 + [0.1] * 12
    heard = [
        segmenter.push(each, THRESHOLD, (i + 1) * FRAME, least_pause=12 * FRAME)
        for i, each in enumerate(frames)
    ]
    assert heard.index(Change.PAUSED) == len(frames) - 1
    segmenter = Segmenter()
    for i, each in enumerate([0.9] * 2 + [0.1] * 9):
        assert segmenter.push(each, THRESHOLD, (i + 1) * FRAME, 12 * FRAME) is not Change.PAUSED
    assert segmenter.push(0.1, THRESHOLD, 12 * FRAME) is Change.PAUSED
    assert segmenter.ended == 2 * FRAME


def test_ended_stays_where_the_last_voice_was() -> None:
    segmenter = Segmenter()
    for i, probability in enumerate([0.9] * 5 + [0.0] * 9):
        segmenter.push(probability, THRESHOLD, (i + 1) * FRAME)
    assert not segmenter.speaking
    assert segmenter.quiet
    assert segmenter.ended == 5 * FRAME


@pytest.fixture(scope="module")
def silero() -> Silero:
    return Silero()


def test_speech_has_a_voice_and_its_pauses_have_none(silero: Silero) -> None:
    audio, rate = samples("beckett.wav")
    _, probabilities = VoiceDetector(silero, rate).listen(audio)
    segmenter = Segmenter()
    heard = [
        segmenter.push(probability, THRESHOLD, (i + 1) * FRAME)
        for i, probability in enumerate(probabilities)
    ]
    assert heard.count(Change.STARTED) == heard.count(Change.PAUSED) == 6


def with_voice(silero: Silero, audio: NDArray[np.float64]) -> NDArray[np.bool_]:
    """In which frames of audio, -1 to 1, someone speaks."""
    _, probabilities = VoiceDetector(silero, RATE).listen(np.rint(audio * 32767).astype(np.int16))
    segmenter = Segmenter()
    spoken = []
    for i, probability in enumerate(probabilities):
        segmenter.push(probability, 0.4, (i + 1) * FRAME)
        spoken.append(segmenter.speaking)
    return np.array(spoken)


@pytest.mark.parametrize(
    ("peak_db", "offset", "hum_db"),
    [
        pytest.param(-60, 0.0, None, id="quiet"),
        pytest.param(-36, 0.05, None, id="offset"),
        pytest.param(-48, -0.2, None, id="large offset"),
        pytest.param(-24, 0.0, -12, id="hum"),
        pytest.param(-48, 0.0, -36, id="quiet hum"),
    ],
)
def test_quiet_speech_is_found_under_an_offset_and_hum(
    silero: Silero, peak_db: float, offset: float, hum_db: float | None
) -> None:
    audio, _ = samples("beckett.wav")
    speech = audio / np.abs(audio).max()
    t = np.arange(len(speech)) / RATE
    hum = 0.0 if hum_db is None else 10 ** (hum_db / 20) * np.sin(2 * np.pi * 120 * t)
    spoken = with_voice(silero, speech / 2)
    found = with_voice(silero, speech * 10 ** (peak_db / 20) + offset + hum)
    spoken[: 3 * RATE // 2 // FRAME] = False  # it takes a moment to be known for quiet
    assert np.mean(found[spoken]) > 0.9


@pytest.mark.parametrize("at", [4, 25])
def test_speech_that_sets_in_with_the_hum_is_found_as_soon_as_that_is_taken_out(
    silero: Silero, at: int
) -> None:
    """What Silero remembers of the hum does not hide the voice after it."""
    audio, rate = samples("two_cities.wav")
    said = soxr.resample(audio[at * rate : (at + 3) * rate] / np.float64(32768), rate, RATE)
    said /= np.abs(said).max()
    hum = 10 ** (-12 / 20) * np.sin(2 * np.pi * 120 * np.arange(len(said)) / RATE)
    spoken = with_voice(silero, said / 2)
    found = with_voice(silero, said * 10 ** (-24 / 20) + hum)
    spoken[: 7 * RATE // 10 // FRAME] = False
    assert np.mean(found[spoken]) > 0.9


def test_a_speaker_far_away_is_heard_after_a_minute_without_a_pause(silero: Silero) -> None:
    chance = np.random.default_rng(0)
    two_cities, rate = samples("two_cities.wav")
    near = without_pauses(soxr.resample(two_cities / np.float64(32768), rate, RATE))
    said = without_pauses(samples("beckett.wav")[0] / np.float64(32768))
    t = np.arange(8 * RATE // 10) / RATE
    room = chance.standard_normal(len(t)) * np.exp(-t / 0.12)
    echoes = np.convolve(said, room / np.sqrt(np.sum(room**2)))[: len(said)] / 2
    far = echoes + chance.standard_normal(len(said)) * np.std(echoes) / 2
    found = with_voice(silero, np.clip(np.concatenate((near, near, far)), -1, 1))
    assert np.mean(found[-len(far) // FRAME :]) > 0.8


def without_pauses(audio: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is loud of it; as loud as speech is."""
    pieces = audio[: len(audio) // 320 * 320].reshape(-1, 320)
    power = np.mean(pieces**2, axis=1)
    loud: NDArray[np.float64] = pieces[power > power.max() / 400].ravel()
    return np.asarray(loud / np.std(loud) * 0.06, np.float64)


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_any_rate_becomes_16_khz_and_nothing_is_lost(silero: Silero, rate: int) -> None:
    ear = VoiceDetector(silero, rate)
    pieces = [ear.listen(piece)[0] for piece in np.array_split(np.zeros(2 * rate, np.int16), 40)]
    pieces.append(ear.listen(np.zeros(0, np.int16), last=True)[0])
    assert sum(len(piece) for piece in pieces) == 2 * RATE


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_pieces_make_no_difference(silero: Silero, rate: int) -> None:
    # A recording played too slowly or too fast is as good here.
    audio = samples("two_cities.wav")[0][: 5 * rate]
    whole = VoiceDetector(silero, rate).listen(audio)
    ear = VoiceDetector(silero, rate)
    parts = [ear.listen(piece) for piece in np.array_split(audio, 77)]
    assert np.array_equal(np.concatenate([part[0] for part in parts]), whole[0])
    assert [p for part in parts for p in part[1]] == whole[1]


MINUTES = 10

Seconds = NDArray[np.float64]
Sound = Callable[[Seconds], Seconds]


def silence(t: Seconds) -> Seconds:
    return np.zeros_like(t)


def noise(level: float) -> Sound:
    return lambda t: np.random.default_rng(1).standard_normal(len(t)) * level


def tone(t: Seconds) -> Seconds:
    return 0.3 * np.sin(2 * np.pi * 440 * t)


def sweep(t: Seconds) -> Seconds:
    return 0.3 * np.sin(2 * np.pi * (100 * t + 1950 * (t % 20) ** 2 / 20))


def chords(t: Seconds) -> Seconds:
    root = 220 * 2 ** (np.floor(t) % 12 / 12)
    notes = np.array([[1.0], [1.26], [1.5]]) * root
    chord: Seconds = np.sin(2 * np.pi * notes * t).sum(axis=0)
    return 0.1 * chord


def keypad(t: Seconds) -> Seconds:
    low, high = np.array([697, 770, 852, 941]), np.array([1209, 1336, 1477])
    key = np.floor(t * 4).astype(int)
    pair = np.sin(2 * np.pi * low[key % 4] * t) + np.sin(2 * np.pi * high[key % 3] * t)
    return np.where(t * 4 % 1 < 0.6, 0.2 * pair, 0.0)


@pytest.mark.parametrize(
    "sound",
    [
        silence,
        pytest.param(noise(0.003), id="noise -50 dB"),
        pytest.param(noise(0.03), id="noise -30 dB"),
        pytest.param(noise(0.3), id="noise -10 dB"),
        tone,
        sweep,
        chords,
        keypad,
    ],
)
def test_ten_minutes_without_a_voice(silero: Silero, sound: Sound) -> None:
    ear = VoiceDetector(silero, RATE)
    segmenter = Segmenter()
    frames = 0
    for minute in range(MINUTES):
        t = np.arange(60 * RATE) / RATE + 60 * minute
        audio: Samples = (np.clip(sound(t), -1, 1) * 32767).astype(np.int16)
        for probability in ear.listen(audio)[1]:
            frames += 1
            assert segmenter.push(probability, 0.4, frames * FRAME) is None
