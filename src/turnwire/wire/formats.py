"""What bytes that came as audio seem to be instead: a file, or text."""

import re
from typing import Any

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{96,}={0,2}\s*")
"""Long enough to be no name and no number; 96 characters are 2 ms of audio."""

_RIFF_RATE = slice(24, 28)
_RIFF_CHANNELS = slice(22, 24)

_MP3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MP3_KBPS_LOW = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MP3_RATES = (44_100, 48_000, 32_000)


def is_base64(text: str) -> bool:
    """Whether it is long, and could be base64 from its first to its last character."""
    return _BASE64.fullmatch(text) is not None


def wraps_base64(content: Any, *, depth: int = 2) -> bool:
    """Whether an object holds such text, or an object within it does."""
    if isinstance(content, str):
        return is_base64(content)
    if isinstance(content, dict) and depth > 0:
        return any(wraps_base64(value, depth=depth - 1) for value in content.values())
    return False


def foreign_format(data: bytes) -> str | None:
    """What the first bytes of a stream say they are, in words; None if they may be raw audio."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return _wav(data)
    for magic, name in (
        (b"OggS", "an Ogg stream"),
        (b"\x1aE\xdf\xa3", "a WebM or Matroska file"),
        (b"fLaC", "a FLAC file"),
        (b"ID3", "an MP3 file"),
    ):
        if data.startswith(magic):
            return name
    if data[4:8] == b"ftyp":
        return "an MP4 file"
    if _is_mp3(data):
        return "an MP3 stream"
    if data.isascii() and is_base64(data.decode()):
        return "base64 text"
    return None


def _wav(data: bytes) -> str:
    rate = int.from_bytes(data[_RIFF_RATE], "little")
    channels = int.from_bytes(data[_RIFF_CHANNELS], "little")
    return f"a WAV file, whose header says {rate} Hz and {channels} channel(s)"


def _is_mp3(data: bytes) -> bool:
    # One sync word is an ordinary sample; two, as far apart as the first one says, are not.
    length = _mp3_frame(data[:4])
    return length is not None and _mp3_frame(data[length : length + 4]) is not None


def _mp3_frame(header: bytes) -> int | None:
    """The length of the MPEG layer III frame with this header; None if it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, bitrate, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or bitrate in (0, 15) or rate == 3:
        return None
    high = version == 3
    kbps = (_MP3_KBPS if high else _MP3_KBPS_LOW)[bitrate - 1]
    hertz = _MP3_RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    return (144 if high else 72) * 1000 * kbps // hertz + (header[2] >> 1 & 1)
