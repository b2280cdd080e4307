"""The speech that is played: a folder of recordings, read once, as frames ready to be sent."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from websockets.frames import Frame, Opcode

from turnwire.bench import BenchError
from turnwire.bench.conditions import CLEAN, Conditions
from turnwire.client import AudioFile, AudioFileError
from turnwire.client.audio import AudioFormat
from turnwire.wire.encodings import Encoding
from turnwire.wire.limits import SHORTEST_CHUNK_MS

SPEECH_RATE = 16_000
"""Hz; what sessions are opened with that play one clip after another."""

FRAMES_PER_S = 1000 // SHORTEST_CHUNK_MS

MANIFEST = "manifest.jsonl"

UNSCORED = {"unknown", "approx"}
"""The kinds of reference that nobody should be held to."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording."""

    path: Path
    reference: str | None
    """What is said; None if nobody knows for certain."""
    sample_rate: int
    """Hz"""
    frames: Sequence[bytes]
    """Its audio as masked WebSocket frames of 50 ms each; the last is filled up with silence."""
    pcm: bytes = field(default=b"", repr=False)
    """Its audio, mono s16le."""


@dataclass(frozen=True, slots=True)
class _Recording:
    path: Path
    reference: str | None
    sample_rate: int
    pcm: bytes


def read_clips(
    folder: Path, sample_rate: int | None = SPEECH_RATE, conditions: Conditions = CLEAN
) -> list[Clip]:
    """The recordings of a folder, at this rate; None keeps each at its own.

    Those that `manifest.jsonl` lists, with an object a line: `file`, and, if words are to be
    scored, `reference` and `ref_kind`. Without one, every file with audio in it.

    Raises `BenchError`.
    """
    manifest = folder / MANIFEST
    try:
        if manifest.is_file():
            lines = manifest.read_text().splitlines()
            rows = [json.loads(line) for line in lines if line.strip()]
            found = [_read(folder / row["file"], _reference(row), sample_rate) for row in rows]
        else:
            found = _read_all(folder, sample_rate)
    except (ValueError, KeyError, TypeError) as wrong:
        raise BenchError(f"{manifest} is not as it should be: {wrong!r}.") from None
    except AudioFileError as wrong:
        raise BenchError(str(wrong)) from None
    except OSError as wrong:
        raise BenchError(f"Cannot read {folder}: {wrong.strerror}.") from None
    if not found:
        raise BenchError(f"There is no audio in {folder}.")
    return [_clip(each, conditions, found) for each in found]


def read_clip(path: Path) -> Clip:
    """One recording, of which nobody knows what is said. Raises `BenchError`."""
    try:
        return _clip(_read(path, None, SPEECH_RATE), CLEAN, ())
    except AudioFileError as wrong:
        raise BenchError(str(wrong)) from None


def silence(sample_rate: int) -> bytes:
    """A frame of 50 ms without a sound."""
    return as_frame(bytes(_size(sample_rate)))


def as_frame(message: bytes | str) -> bytes:
    """The message as a client's WebSocket frame, which can be sent as often as one likes."""
    if isinstance(message, str):
        return Frame(Opcode.TEXT, message.encode()).serialize(mask=True)
    return Frame(Opcode.BINARY, message).serialize(mask=True)


def frames_of(pcm: bytes, sample_rate: int) -> tuple[bytes, ...]:
    """Mono s16le audio as frames of 50 ms."""
    size = _size(sample_rate)
    chunks = (pcm[start : start + size] for start in range(0, len(pcm), size))
    return tuple(as_frame(chunk.ljust(size, b"\0")) for chunk in chunks)


def _size(sample_rate: int) -> int:
    return AudioFormat(sample_rate, Encoding.PCM_S16LE).size(SHORTEST_CHUNK_MS / 1000)


def frame_ms(sample_rate: int) -> float:
    """How long a frame lasts; at 22,050 Hz, 50 ms is no whole number of samples."""
    return 1000 * AudioFormat(sample_rate, Encoding.PCM_S16LE).seconds(_size(sample_rate))


def _reference(row: dict[str, str]) -> str | None:
    return None if row.get("ref_kind") in UNSCORED else row.get("reference")


def _clip(each: _Recording, conditions: Conditions, all_of_them: Sequence[_Recording]) -> Clip:
    others = [
        other.pcm
        for other in all_of_them
        if other.path != each.path and other.sample_rate == each.sample_rate
    ]
    pcm = conditions.apply(each.path, each.pcm, each.sample_rate, others)
    frames = frames_of(pcm, each.sample_rate)
    return Clip(each.path, each.reference, each.sample_rate, frames, pcm)


def _read(path: Path, reference: str | None, sample_rate: int | None) -> _Recording:
    with AudioFile(path, sample_rate=sample_rate) as audio:
        return _Recording(path, reference, audio.sample_rate, b"".join(audio))


def _read_all(folder: Path, sample_rate: int | None) -> list[_Recording]:
    clips = []
    for path in sorted(folder.iterdir()):
        try:
            clips.append(_read(path, None, sample_rate))
        except AudioFileError:
            # Notes and licences lie beside recordings.
            continue
    return clips
