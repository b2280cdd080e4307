"""One audio track in a container, as frames with their places on the container's clock."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import IO, NamedTuple, Self

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.error import InvalidDataError
from av.stream import Disposition

from turnwire.client import riff
from turnwire.client.stamps import StampClock
from turnwire.client.tracks import Track, chosen

_UNSTAMPED = {"aac", "ac3", "amr", "dts", "eac3", "loas", "mp3", "truehd"}
"""Formats that are frames and nothing else: FFmpeg counts their time by the rate of the first."""


class Placed(NamedTuple):
    """A frame, and where it belongs."""

    frame: AudioFrame
    silence: float
    """Seconds of silence before it; if negative, so much of its beginning is there already."""


class Container:
    """An open container. Raises FFmpeg's errors."""

    def __init__(self, file: IO[bytes], wanted: int | str | None) -> None:
        # FFmpeg believes the size of the file instead.
        self._written_length = riff.length(file)
        with ExitStack() as opening:
            self._container = opening.enter_context(av.open(file, "r"))
            self._opened = opening.pop_all()
        streams = self._container.streams.audio
        self.tracks = tuple(_track(number, stream) for number, stream in enumerate(streams, 1))
        self.track = chosen(self.tracks, wanted) if self.tracks else None
        self.passed_over = 0
        """How many packets could not be decoded."""
        self._clock = StampClock(self.length)
        if self.is_stamped:
            self._clock.origin = (self._container.start_time or 0) / av.time_base

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def _stream(self) -> AudioStream:
        assert self.track is not None
        return self._container.streams.audio[self.track.number - 1]

    @property
    def rate(self) -> int:
        return self._stream.rate

    @property
    def is_stamped(self) -> bool:
        return self._container.format.name not in _UNSTAMPED

    @property
    def wild(self) -> int:
        """How many time stamps were not followed."""
        return self._clock.wild

    @property
    def length(self) -> float | None:
        """Where the audio ends in seconds, as the file declares it or FFmpeg guesses it."""
        if self.track is None:
            return None
        origin = (self._container.start_time or 0) / av.time_base
        stream, base = self._stream, self._stream.time_base
        if stream.duration is not None and base is not None:
            start = float((stream.start_time or 0) * base)
            return max(start - origin, 0.0) + float(stream.duration * base)
        if (tagged := _seconds(stream.metadata.get("DURATION"))) is not None:
            return tagged
        if self._container.duration is not None:
            return self._container.duration / av.time_base
        return None

    @property
    def claimed_length(self) -> float | None:
        """What the file itself says of its length; None if FFmpeg guessed it from its size."""
        if self._written_length is not None:
            return self._written_length
        length, rate = self.length, self._stream.bit_rate
        of_track = self._stream.duration is not None or "DURATION" in self._stream.metadata
        if length is None or not (of_track or len(self._container.streams) == 1):
            return None
        guess = 8 * self._container.size / rate if rate and self._container.size > 0 else None
        if guess is not None and abs(guess - length) < 0.01 * length:
            return None
        return length

    def frames(self, position: "Position") -> Iterator[Placed]:
        """The frames in order. `position` tells how much of this container's audio there is."""
        held: tuple[AudioFrame, float | None] | None = None
        for frame, stamp in self._stamped():
            if held is not None:
                yield self._placed(*held, stamp, position)
            held = frame, stamp
        if held is not None:
            yield self._placed(*held, None, position)

    def _placed(
        self, frame: AudioFrame, stamp: float | None, following: float | None, position: "Position"
    ) -> Placed:
        lasts = frame.samples / frame.sample_rate
        return Placed(frame, self._clock.silence_before(stamp, lasts, following, position.seconds))

    def _stamped(self) -> Iterator[tuple[AudioFrame, float | None]]:
        counted = 0.0
        for packet in self._container.demux(self._stream):
            try:
                frames: Sequence[AudioFrame] = packet.decode()
            except InvalidDataError:
                # As players do: junk between the frames of an MP3 is common.
                self.passed_over += 1
                counted += float((packet.duration or 0) * packet.time_base)
                continue
            for frame in frames:
                if self.is_stamped:
                    yield frame, frame.time
                else:
                    yield frame, counted
                counted += frame.samples / frame.sample_rate


class Position:
    """How much audio has been made of a container, in seconds."""

    seconds = 0.0


def _track(number: int, stream: AudioStream) -> Track:
    language = stream.metadata.get("language")
    return Track(
        number,
        None if language in (None, "und", "zxx", "mul", "mis") else language,
        stream.metadata.get("title") or None,
        bool(stream.disposition & Disposition.default),
    )


def _seconds(clock: str | None) -> float | None:
    """What a tag such as 00:00:11.902000000 says."""
    if clock is None:
        return None
    try:
        hours, minutes, seconds = map(float, clock.split(":"))
    except ValueError:
        return None
    return 3600 * hours + 60 * minutes + seconds
