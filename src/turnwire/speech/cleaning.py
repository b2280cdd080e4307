"""What is taken out of the audio before anyone asks whether there is a voice in it.

A microphone may add a constant offset, and the mains hum at their frequency and its multiples.
Either may be louder than a quiet voice, and be taken for its loudness. Both are measured all the
time, but taken out only where they are found: audio without them stays as it is. The recogniser is
given the audio as it comes: it copes with both, and filters cost it words in noise.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from turnwire.speech.decoding import RATE

_LINES = np.array([50, 60, 100, 120, 150, 180, 200, 240, 250, 300, 360, 400], np.float64)
"""Hz: the mains of all countries, and what rectifiers and magnets make of them."""

_OFFSET = 0.002
"""A constant this far from zero is an offset, and one until it is half as far."""

_OFFSET_FRAMES = 16
"""Over how many frames the offset is averaged: half a second."""

_HUM = 0.3
"""So much of the power on these lines is hum, and until it is half as much."""

_HUM_FRAMES = 12
"""Over how many frames a line is averaged: 0.4 s. What holds its phase for longer is no voice."""

_POWER_FRAMES = 30
"""Over how many frames the power is averaged: a second."""


@dataclass(frozen=True, slots=True)
class _Waves:
    """What all streams know of the lines: a cosine of each, and then a sine of each."""

    rows: NDArray[np.float32]
    """The waves themselves, over one frame."""
    overlap: NDArray[np.float64]
    """What they have in common."""
    kept: NDArray[np.float64]
    """Makes, of how much of each there is as a frame begins, that as the next one does;"""
    taken: NDArray[np.float32]
    """and this adds what is learned from the frame."""


@cache
def _waves(frame: int) -> _Waves:
    """For frames of so many samples."""
    turns = np.exp(2j * np.pi * np.outer(_LINES, np.arange(frame)) / RATE)
    rows = np.concatenate((turns.real, turns.imag))
    overlap = rows @ rows.T
    angles = 2 * np.pi * _LINES * frame / RATE
    cosine, sine = np.diag(np.cos(angles)), np.diag(np.sin(angles))
    advance = np.block([[cosine, sine], [-sine, cosine]])
    step = 2 / frame / _HUM_FRAMES
    kept = advance @ (np.eye(len(rows)) - step * overlap)
    return _Waves(
        rows.astype(np.float32), overlap, kept, (step * advance @ rows).astype(np.float32)
    )


class Cleaner:
    """Takes offset and hum out of one stream's frames."""

    def __init__(self, frame: int) -> None:
        """`frame` is how many samples one has."""
        self._offset: float | None = None
        self._has_offset = False
        self._waves = _waves(frame)
        # How much of each wave there is, as the frame begins.
        self._lines = np.zeros(2 * len(_LINES))
        self._power = self._hum_power = 0.0
        self.has_hum = False
        """Whether hum is found, and taken out."""

    def __call__(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """A frame without them, -1 to 1."""
        frame = samples * np.float32(1 / 32768)
        offset = self._measure_offset(frame)
        level = frame - np.float32(offset)
        lines = self._measure_hum(level)
        if self.has_hum:
            return level - lines.astype(np.float32) @ self._waves.rows
        return level if self._has_offset else frame

    def _measure_offset(self, frame: NDArray[np.float32]) -> float:
        mean = float(np.add.reduce(frame)) / len(frame)
        before = mean if self._offset is None else self._offset
        self._offset = before + (mean - before) / _OFFSET_FRAMES
        self._has_offset = abs(self._offset) > _OFFSET / (1 + self._has_offset)
        return self._offset

    def _measure_hum(self, frame: NDArray[np.float32]) -> NDArray[np.float64]:
        """How much of each wave the frame holds, by what the frames before say."""
        lines, waves = self._lines, self._waves
        self._power += (float(frame @ frame) - self._power) / _POWER_FRAMES
        hum = float(lines @ waves.overlap @ lines)
        self._hum_power += (hum - self._hum_power) / _POWER_FRAMES
        self.has_hum = self._hum_power > _HUM / (1 + self.has_hum) * self._power
        self._lines = waves.kept @ lines + waves.taken @ frame
        return lines
