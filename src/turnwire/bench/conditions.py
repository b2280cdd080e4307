"""Recordings made harder: noise, other voices, a telephone line. The same in every run."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

TELEPHONE_RATE = 8000
TELEPHONE_BAND = (300, 3400)
"""Hz, as a telephone network passes on."""

VOICES = 4
"""So many other recordings at once are babble: single words cannot be made out."""

_MU = 255.0

Audio = NDArray[np.float64]
"""Mono, -1 to 1."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is done to each recording before it is played."""

    noise_db: float | None = None
    """How far white noise lies below the recording, root mean square by root mean square."""
    babble_db: float | None = None
    """How far other voices do."""
    telephone: bool = False
    """Whether it comes over a telephone line: 300 to 3,400 Hz, µ-law."""

    def apply(self, path: Path, pcm: bytes, rate: int, others: "Sequence[bytes]" = ()) -> bytes:
        """Mono s16le audio at `rate` Hz under these conditions.

        `others` are recordings at the same rate whose voices make babble.
        """
        if self == CLEAN:
            return pcm
        audio = _floats(pcm)
        # The same noise for a recording in every run.
        chance = np.random.default_rng(zlib.crc32(path.name.encode()))
        if self.noise_db is not None:
            audio = _mixed(audio, chance.standard_normal(len(audio)), self.noise_db)
        if self.babble_db is not None and others:
            picked = chance.choice(len(others), min(VOICES, len(others)), replace=False)
            voices = [_looped(_floats(others[i]), len(audio), chance) for i in picked]
            babble = np.sum([voice / max(_rms(voice), 1e-9) for voice in voices], axis=0)
            audio = _mixed(audio, babble, self.babble_db)
        if self.telephone:
            audio = _telephone(audio, rate)
        return bytes(np.clip(np.rint(audio * 32768), -32768, 32767).astype("<i2").tobytes())


CLEAN = Conditions()


def _floats(pcm: bytes) -> Audio:
    return np.frombuffer(pcm, "<i2").astype(np.float64) / 32768


def _rms(audio: Audio) -> float:
    return float(np.sqrt(np.mean(audio * audio))) if len(audio) else 0.0


def _mixed(audio: Audio, noise: Audio, db: float) -> Audio:
    """Both; as loud as the recording was, so that nothing is clipped."""
    level = _rms(audio)
    mixed = audio + noise * (level / max(_rms(noise), 1e-9) * 10 ** (-db / 20))
    return mixed * (level / max(_rms(mixed), 1e-9))


def _looped(audio: Audio, length: int, chance: np.random.Generator) -> Audio:
    start = int(chance.integers(len(audio)))
    return np.resize(np.roll(audio, -start), length)


def _telephone(audio: Audio, rate: int) -> Audio:
    line = soxr.resample(audio, rate, TELEPHONE_RATE)
    spectrum = np.fft.rfft(line)
    hz = np.fft.rfftfreq(len(line), 1 / TELEPHONE_RATE)
    low, high = TELEPHONE_BAND
    spectrum[(hz < low) | (hz > high)] = 0
    line = np.clip(np.fft.irfft(spectrum, len(line)), -1, 1)
    # µ-law: 8 bits, the finer the quieter.
    squeezed = np.sign(line) * np.log1p(_MU * np.abs(line)) / np.log1p(_MU)
    squeezed = np.rint(squeezed * 127) / 127
    line = np.sign(squeezed) * np.expm1(np.abs(squeezed) * np.log1p(_MU)) / _MU
    restored: Audio = soxr.resample(line, TELEPHONE_RATE, rate)
    return np.resize(restored, len(audio))
