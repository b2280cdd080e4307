"""How loud audio was: what is left to say of it where no word was recognised."""

import math
from array import array
from operator import mul

SILENT_PEAK = 10 ** (-60 / 20)
"""Of full scale; speech whose loudest sample is below -60 dB is not recognised."""

_FULL_SCALE = 32_768


class Level:
    """Measures mono s16le audio."""

    def __init__(self) -> None:
        self._peak = 0
        self._power = 0
        self._samples = 0

    def add(self, pcm: bytes) -> None:
        samples = array("h", pcm)
        if samples:
            self._peak = max(self._peak, max(samples), -min(samples))
            self._power += sum(map(mul, samples, samples))
            self._samples += len(samples)

    def __str__(self) -> str:
        """A sentence about it."""
        if not self._samples:
            return "There was no audio."
        if not self._peak:
            return "The audio is mute: every sample is zero."
        peak = _decibels(self._peak)
        if self._peak < SILENT_PEAK * _FULL_SCALE:
            return f"The audio is silent: its peak is {peak}."
        mean = _decibels(math.sqrt(self._power / self._samples))
        return f"There is sound, perhaps noise or music: its peak is {peak}, its mean {mean}."


def _decibels(amplitude: float) -> str:
    return f"{20 * math.log10(amplitude / _FULL_SCALE):.0f} dB"
