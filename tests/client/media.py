"""Files with speech in them, as no microphone writes them: late, with holes, joined, inverted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.stream import Disposition
from numpy.typing import NDArray

from tests.recordings import samples

Samples = NDArray[np.int16]

EVER, RATE = samples("beckett.wav")
"""Ten seconds: "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better." """


@dataclass(frozen=True)
class Spoken:
    """One audio track: what is said, and when."""

    pieces: Sequence[tuple[float, Samples]]
    """Seconds on the track's clock, and what is heard from there on."""
    language: str | None = None
    default: bool = False
    layout: str = "mono"
    rate: int = RATE
    metadata: dict[str, str] = field(default_factory=dict)


def write(
    path: Path, *tracks: Spoken, codec: str = "aac", video: float = 0, faststart: bool = False
) -> Path:
    """A file with these tracks, and so many seconds of video."""
    options = {"movflags": "faststart"} if faststart else {}
    with av.open(str(path), "w", options=options) as container:
        pictures = _pictures(container, video) if video else []
        streams = [_stream(container, track, codec) for track in tracks]
        packets = list(pictures)
        for track, stream in zip(tracks, streams, strict=True):
            for start, audio in track.pieces:
                for frame in _frames(track, stream, start, audio):
                    packets += stream.encode(frame)
            packets += stream.encode(None)
        for packet in sorted(packets, key=_time):
            container.mux(packet)
    return path


def inverted(audio: Samples) -> Samples:
    """Two channels, interleaved: one with the opposite sign of the other."""
    return np.column_stack([audio, -audio]).reshape(-1)


def _time(packet: "av.Packet[Any]") -> float:
    return float((packet.dts or 0) * packet.time_base)


def _pictures(container: av.container.OutputContainer, seconds: float) -> list["av.Packet[Any]"]:
    stream = container.add_stream("mpeg4", rate=5)
    stream.width = stream.height = 16
    stream.pix_fmt = "yuv420p"
    packets = []
    for number in range(round(5 * seconds)):
        frame = av.VideoFrame(16, 16, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 5)
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]


def _stream(container: av.container.OutputContainer, track: Spoken, codec: str) -> AudioStream:
    stream = cast(AudioStream, container.add_stream(codec, rate=track.rate))
    stream.layout = track.layout
    stream.metadata.update(track.metadata)
    if track.language is not None:
        stream.metadata["language"] = track.language
    stream.disposition = Disposition.default if track.default else Disposition(0)
    stream.codec_context.open()
    return stream


def _frames(
    track: Spoken, stream: AudioStream, start: float, audio: Samples
) -> list[av.AudioFrame]:
    context = stream.codec_context
    whole = av.AudioFrame.from_ndarray(audio[np.newaxis], format="s16", layout=track.layout)
    whole.sample_rate = RATE
    whole.pts = 0
    resampler = av.AudioResampler(
        context.format.name, track.layout, track.rate, frame_size=context.frame_size or 1024
    )
    frames = [*resampler.resample(whole), *resampler.resample(None)]
    at = round(start * track.rate)
    for frame in frames:
        frame.pts, frame.time_base = at, Fraction(1, track.rate)
        at += frame.samples
    return frames
