"""Where a command's audio comes from, as chunks of mono s16le PCM."""

import asyncio
import os
import stat
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import typer

from turnwire.cli.failures import fail
from turnwire.cli.level import Level
from turnwire.client import AudioFile, AudioFileError, Gap, cut, paced
from turnwire.client.audio import AudioFormat
from turnwire.client.tracks import Track
from turnwire.wire.encodings import Encoding

SPEECH_RATE = 16_000
"""Hz; what speech models listen at, so nothing is gained by sending more."""

_STDIN = 0
_READ_BYTES = 4096
_READS_AHEAD = 16


@dataclass(frozen=True, slots=True)
class Source:
    """Audio for one session."""

    chunks: AsyncIterator[bytes]
    """If it is a recording, as fast as somebody asks for them."""
    sample_rate: int
    """Hz"""
    seconds: float | None
    """How long it lasts, if that is known before."""
    live: bool
    """Whether it lasts until somebody stops it; else it is a recording."""
    other_tracks: Sequence[Track] = ()
    """Those of its file that are not read."""
    level: Level = field(default_factory=Level)
    """How loud it was so far."""
    gaps: Sequence[Gap] = ()
    """What was lost so far before anybody could send it; silence takes its place."""

    async def watched(
        self, show: Callable[[float], None], *, at_once: bool = False
    ) -> AsyncIterator[bytes]:
        """The chunks; `show` is told after each how many seconds have passed.

        Those of a recording come as fast as they were spoken, if not `at_once`.
        """
        format, size = AudioFormat(self.sample_rate, Encoding.PCM_S16LE), 0
        chunks = self.chunks
        if not self.live and not at_once:
            chunks = paced(chunks, sample_rate=self.sample_rate)
        async for chunk in chunks:
            yield chunk
            self.level.add(chunk)
            size += len(chunk)
            show(format.seconds(size))

    def why_no_words(self) -> str:
        """What to say where no word was recognised in it."""
        others = self.other_tracks
        hint = f" There are other audio tracks: {_listed(others)}; see --track." if others else ""
        return f"No word was recognised. {self.level}{hint}"


@contextmanager
def from_file(path: str, track: str | None = None) -> Iterator[Source]:
    """A recording. Raises `AudioFileError`.

    Of several audio tracks it is told which one is read.
    """
    with AudioFile(path, sample_rate=SPEECH_RATE, track=track) as file:
        others = [other for other in file.tracks if other != file.track]
        if others:
            typer.echo(
                f"{path}: reading audio track {file.track}, not {_listed(others)}.", err=True
            )
        chunks = cut(file, sample_rate=SPEECH_RATE)
        yield Source(chunks, SPEECH_RATE, file.duration_seconds, live=False, other_tracks=others)


def _listed(tracks: Sequence[Track]) -> str:
    return ", ".join(map(str, tracks))


@contextmanager
def from_stdin(sample_rate: int) -> Iterator[Source]:
    """Raw PCM from standard input: as it comes, or a recording if it is a file."""
    try:
        mode = os.fstat(_STDIN).st_mode
    except OSError:
        fail("Standard input is closed; pipe raw audio into it.")
    if os.isatty(_STDIN):
        fail("Standard input is the keyboard; pipe raw audio into it, as --help shows.")
    chunks = cut(_raw(_read(_STDIN)), sample_rate=sample_rate)
    yield Source(chunks, sample_rate, None, live=not stat.S_ISREG(mode))


_STARTS = {
    b"RIFF": "WAV",
    b"OggS": "Ogg",
    b"ID3": "MP3",
    b"\xff\xfb": "MP3",
    b"\xff\xf1": "AAC",
    b"fLaC": "FLAC",
    b"\x1aE\xdf\xa3": "WebM or Matroska",
    b"\0\0\0\x1cftyp": "MP4",
    b"\0\0\0\x18ftyp": "MP4",
    b"\0\0\0 ftyp": "MP4",
}
"""How files begin that are not raw samples."""


async def _raw(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same; raises `AudioFileError` for what begins as another kind of file does."""
    first = True
    async for piece in pieces:
        kind = next((kind for start, kind in _STARTS.items() if piece.startswith(start)), None)
        if first and kind is not None:
            raise AudioFileError(
                f"Standard input is {kind}, not raw PCM. Use /dev/stdin in place of - to have it "
                "decoded."
            )
        first = False
        yield piece


async def _read(descriptor: int) -> AsyncIterator[bytes]:
    """What can be read until the end, whatever kind of file it is.

    A thread reads, because an event loop can wait for pipes but not for every file; it is a
    daemon, because nothing can make it give up waiting.
    """
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[bytes] = asyncio.Queue()
    room = threading.Semaphore(_READS_AHEAD)

    def read() -> None:
        # A loop that is closed has nobody left to listen; a read that fails has read to the end.
        with suppress(RuntimeError):
            data = b"not yet the end"
            while data:
                room.acquire()
                try:
                    data = os.read(descriptor, _READ_BYTES)
                except OSError:
                    data = b""
                loop.call_soon_threadsafe(arrived.put_nowait, data)

    threading.Thread(target=read, daemon=True).start()
    while data := await arrived.get():
        room.release()
        yield data
