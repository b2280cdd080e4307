"""How the audio of one client is written, and how long it lasts by that."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from turnwire.client.errors import Misuse
from turnwire.wire.encodings import BYTES_PER_SAMPLE, UNCOMPRESSED, Encoding


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Mono samples, uncompressed: only of those it can be told how long they last."""

    sample_rate: int
    """Hz"""
    encoding: Encoding

    @classmethod
    def of(cls, parameters: Mapping[str, object]) -> Self:
        """As these parameters of a connection say it; raises `Misuse` for what cannot be sent."""
        named = {name: value for name, value in parameters.items() if value is not None}
        rate = named.get("sample_rate", 16_000)
        name = named.get("encoding", Encoding.PCM_S16LE)
        if not isinstance(rate, int) or rate <= 0:
            raise Misuse(f"The sample_rate {rate!r} is no whole number of samples per second.")
        if name not in UNCOMPRESSED:
            offered = " or ".join(sorted(UNCOMPRESSED))
            raise Misuse(f"This client cannot send {name}; it sends {offered}.")
        return cls(rate, Encoding(str(name)))

    @property
    def sample_bytes(self) -> int:
        return BYTES_PER_SAMPLE[self.encoding]

    def seconds(self, size: int) -> float:
        """How long so many bytes last."""
        return size / (self.sample_rate * self.sample_bytes)

    def size(self, seconds: float) -> int:
        """How many bytes last so long, in whole samples and no shorter.

        At 22,050 Hz, 50 ms is no whole number of samples, and the next smaller one too short.
        """
        return math.ceil(round(seconds * self.sample_rate, 6)) * self.sample_bytes
