"""Audio as it arrives: how bytes become samples and milliseconds.

Of uncompressed audio the declared sample rate is what converts bytes to time; a wrong declaration
cannot be detected, only its consequence, chunks that last too long or too short. Compressed audio
is not decoded here: that takes a process of its own.
"""

import numpy as np
from numpy.typing import NDArray

from turnwire.wire.encodings import BYTES_PER_SAMPLE, Encoding


def _mulaw_table() -> NDArray[np.int16]:
    # G.711: the complemented byte is sign, 3-bit exponent, 4-bit mantissa; 33 is the encoder's
    # bias, scaled here to 16 bits (33 << 2).
    code = ~np.arange(256, dtype=np.uint8)
    exponent = (code >> 4 & 7).astype(np.int32)
    mantissa = (code & 15).astype(np.int32)
    magnitude = ((mantissa << 3) + 132 << exponent) - 132
    return np.where(code & 128, -magnitude, magnitude).astype(np.int16)


_MULAW = _mulaw_table()


class AudioDecoder:
    """Makes samples of one session's binary messages, in an uncompressed encoding."""

    def __init__(self, encoding: Encoding, sample_rate: int) -> None:
        self._encoding = encoding
        self._bytes_per_ms = BYTES_PER_SAMPLE[encoding] * sample_rate / 1000
        self._carried = b""

    def duration_ms(self, message: bytes) -> float:
        """How long the audio in this message lasts."""
        return len(message) / self._bytes_per_ms

    def decode(self, message: bytes) -> NDArray[np.int16]:
        """The samples that are complete with this message.

        A message may end within a sample (real clients cut 50 ms at 22,050 Hz into 2,205 bytes):
        the odd byte waits for the next message.
        """
        if self._encoding is Encoding.PCM_MULAW:
            return _MULAW[np.frombuffer(message, np.uint8)]
        data = self._carried + message
        whole = len(data) // 2 * 2
        self._carried = data[whole:]
        return np.frombuffer(data, "<i2", count=whole // 2).astype(np.int16, copy=False)
