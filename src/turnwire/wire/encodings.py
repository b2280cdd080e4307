"""How audio is written on the wire."""

from enum import StrEnum


class Encoding(StrEnum):
    """How binary messages carry audio; uncompressed, it is always mono."""

    PCM_S16LE = "pcm_s16le"
    """Signed 16 bits, little-endian."""
    PCM_MULAW = "pcm_mulaw"
    """8-bit mu-law (ITU-T G.711)."""
    OPUS = "opus"
    """One raw Opus packet a message."""
    OGG_OPUS = "ogg_opus"
    """An Ogg stream, split anywhere."""
    AAC = "aac"
    """An ADTS stream, split anywhere."""


BYTES_PER_SAMPLE = {Encoding.PCM_S16LE: 2, Encoding.PCM_MULAW: 1}
"""The uncompressed encodings: those whose bytes tell their duration."""

UNCOMPRESSED = frozenset(BYTES_PER_SAMPLE)

DECODED_RATE = 16_000
"""Samples per second of what the compressed encodings are decoded to."""
