"""What the protocol has for the silences and delays that a client does not ask for."""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """How a Universal-3 session weighs speed against accuracy."""

    MIN_LATENCY = "min_latency"
    BALANCED = "balanced"
    MAX_ACCURACY = "max_accuracy"


@dataclass(frozen=True, slots=True)
class Preset:
    """Defaults, in ms, of the parameters of the same names."""

    min_turn_silence: int
    max_turn_silence: int
    interruption_delay: int = 0


CONFIDENCE_THRESHOLD = 0.4
"""How sure the end of a turn must be to end it at `min_turn_silence`."""

UNIVERSAL_STREAMING = Preset(min_turn_silence=400, max_turn_silence=1280)

BY_MODE = {
    Mode.MIN_LATENCY: Preset(128, 640, interruption_delay=0),
    Mode.BALANCED: Preset(128, 1280, interruption_delay=500),
    Mode.MAX_ACCURACY: Preset(512, 2560, interruption_delay=500),
}
