"""Audio files: whatever FFmpeg's libraries can read, as mono s16le PCM, a little at a time."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import av
from av.error import FFmpegError, InvalidDataError

from turnwire.client.errors import LocalError

_log = logging.getLogger(__name__)


class AudioFileError(LocalError):
    """The file is missing, is not audio, or is damaged."""


class AudioFile:
    """An audio file, open for reading; iterating gives its PCM in pieces of any length.

    With several channels it is their mix. Raises `AudioFileError`, also while iterating.
    """

    def __init__(self, path: str | Path, *, sample_rate: int | None = None) -> None:
        """`sample_rate` is the rate to convert to, in Hz; None keeps the file's own."""
        self._path = Path(path)
        try:
            with ExitStack() as opening:
                # Opened here and not by FFmpeg, for which a name may be a URL or a device.
                file = opening.enter_context(self._path.open("rb"))
                self._container = opening.enter_context(av.open(file, "r"))
                if not self._container.streams.audio:
                    raise AudioFileError(f"{self._path} has no audio in it.")
                self._stream = self._container.streams.audio[0]
                self.sample_rate = sample_rate or self._stream.rate
                self._opened = opening.pop_all()
        except FFmpegError as error:
            raise AudioFileError(
                f"{self._path} is not an audio file that can be read: {error.strerror}."
            ) from None
        except OSError as error:
            raise AudioFileError(f"Cannot read {self._path}: {error.strerror}.") from None

    @property
    def duration_seconds(self) -> float | None:
        """As the file declares it; None if it does not."""
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        if self._container.duration is not None:
            return self._container.duration / av.time_base
        return None

    def __iter__(self) -> Iterator[bytes]:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=self.sample_rate)
        try:
            for frame in self._frames():
                for converted in resampler.resample(frame):
                    yield converted.to_ndarray().tobytes()
            for converted in resampler.resample(None):
                yield converted.to_ndarray().tobytes()
        except FFmpegError as error:
            raise AudioFileError(f"{self._path} is damaged: {error.strerror}.") from None

    def _frames(self) -> Iterator[av.AudioFrame]:
        passed_over = 0
        for packet in self._container.demux(self._stream):
            try:
                yield from packet.decode()
            except InvalidDataError:
                # As players do: junk between the frames of an MP3 is common.
                passed_over += 1
        if passed_over:
            _log.warning("%s is damaged; packets passed over: %d", self._path, passed_over)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()
