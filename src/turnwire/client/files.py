"""Audio files: whatever FFmpeg's libraries can read, as mono s16le PCM, a little at a time.

    files       a file, of one part or of several that were joined
    containers  a track of one part, as frames
    stamps      where frames stand on the file's clock
    tracks      which track is read

How frames become samples is shared with the server: `turnwire.audio.mixing`.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from av.error import FFmpegError

from turnwire.audio.mixing import Mixer
from turnwire.client.containers import Container, Position
from turnwire.client.errors import AudioFileError
from turnwire.client.ogg_links import parts
from turnwire.client.tracks import Track

SHORT_SECONDS = 1.0
"""A file that is so much shorter than it says has been cut."""

_SAMPLE_BYTES = 2

_log = logging.getLogger(__name__)


class AudioFile:
    """An audio file, open for reading; iterating gives its PCM in pieces of any length.

    It keeps to the file's clock: where that has holes there is silence, and what overlaps is cut.
    Several channels are mixed; where they cancel each other out, the louder one is taken. What is
    wrong with the file is logged as a warning. Raises `AudioFileError`, also while iterating.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        sample_rate: int | None = None,
        track: int | str | None = None,
    ) -> None:
        """`sample_rate` is the rate to convert to, in Hz; None keeps the file's own.

        `track` is the number of an audio track, from 1, or its language; None takes the track
        that the file marks as its default, or else the first.
        """
        self._path = Path(path)
        self._wanted = track
        try:
            with ExitStack() as opening:
                # Opened here and not by FFmpeg, for which a name may be a URL or a device.
                self._parts = parts(opening.enter_context(self._path.open("rb")))
                self._first = opening.enter_context(Container(self._parts[0], track))
                self.tracks = self._first.tracks
                """All audio tracks of the file."""
                self.track = self._track(self._first)
                """The one that is read."""
                self.sample_rate = sample_rate or self._first.rate
                self.duration_seconds = self._length()
                """As the file declares it; None if it does not."""
                self._opened = opening.pop_all()
        except FFmpegError as error:
            raise AudioFileError(
                f"{self._path} is not an audio file that can be read: {error.strerror}."
            ) from None
        except OSError as error:
            raise AudioFileError(f"Cannot read {self._path}: {error.strerror}.") from None

    def _track(self, part: Container) -> Track:
        if not part.tracks:
            raise AudioFileError(f"{self._path} has no audio in it.")
        if part.track is None:
            there = "; ".join(map(str, part.tracks))
            raise AudioFileError(
                f"{self._path} has no audio track {self._wanted}. Its tracks: {there}."
            )
        return part.track

    def _length(self) -> float | None:
        lengths = [self._first.length]
        for file in self._parts[1:]:
            with Container(file, self._wanted) as part:
                lengths.append(part.length)
            file.seek(0)
        known = [length for length in lengths if length is not None]
        return sum(known) if len(known) == len(lengths) else None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._read(self._first)
            for file in self._parts[1:]:
                with Container(file, self._wanted) as part:
                    yield from self._read(part)
        except FFmpegError as error:
            raise AudioFileError(f"{self._path} is damaged: {error.strerror}.") from None

    def _read(self, part: Container) -> Iterator[bytes]:
        mixer, position = Mixer(self.sample_rate), Position()
        surplus = 0

        def counted(pieces: Iterator[bytes]) -> Iterator[bytes]:
            nonlocal surplus
            for piece in pieces:
                cut = min(surplus, len(piece))
                surplus -= cut
                position.seconds += (len(piece) - cut) / _SAMPLE_BYTES / self.sample_rate
                yield piece[cut:]

        self._track(part)
        for frame, silence in part.frames(position):
            if silence > 0:
                yield from counted(mixer.flush())
                yield from counted(self._silence(silence))
            elif silence < 0:
                yield from counted(mixer.flush())
            lasts = frame.samples / frame.sample_rate
            if -silence >= lasts:
                continue
            surplus = self._samples(max(-silence, 0.0)) * _SAMPLE_BYTES
            yield from counted(mixer.mix(frame))
        yield from counted(mixer.flush())
        self._report(part, position.seconds)

    def _silence(self, seconds: float) -> Iterator[bytes]:
        left = self._samples(seconds)
        while left:
            some = min(left, self.sample_rate)
            yield bytes(some * _SAMPLE_BYTES)
            left -= some

    def _samples(self, seconds: float) -> int:
        return round(seconds * self.sample_rate)

    def _report(self, part: Container, seconds: float) -> None:
        if part.passed_over:
            _log.warning("%s is damaged; packets passed over: %d", self._path, part.passed_over)
        if part.wild:
            _log.warning("%s has time stamps that cannot be right: %d", self._path, part.wild)
        claimed = part.claimed_length
        if claimed is not None and seconds < claimed - SHORT_SECONDS:
            _log.warning(
                "%s says that it is %.1f s long, and ends after %.1f s: it was cut short",
                *(self._path, claimed, seconds),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()
