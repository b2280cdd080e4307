"""Audio in every encoding, as clients send it."""

import io
from collections.abc import Iterator
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from turnwire.wire.encodings import Encoding

Samples = NDArray[np.int16]
"""Of one channel: shape (samples,)."""

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
ADTS_LAYOUTS = LAYOUTS | {8: "7.1(wide)"}  # the only one of eight channels that it has


def tone(ms: int, rate: int = 48_000) -> Samples:
    """Audio in which the echo engine hears a word every 250 ms, whatever it was encoded with."""
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(rate * ms // 1000) / rate)).astype(np.int16)


def opus_packets(
    audio: Samples, rate: int = 48_000, *, channels: int = 1, frame_ms: float = 20
) -> list[bytes]:
    """Raw packets; `frame_ms` is 2.5, 5, 10, 20, 40, 60 or 120."""
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate = rate
    codec.layout = LAYOUTS[channels]
    codec.format = "s16"
    codec.bit_rate = 32_000 * channels
    codec.options = {"frame_duration": str(frame_ms)}
    codec.open()
    packets = []
    for frame in _frames(audio, rate, LAYOUTS[channels], "s16", codec.frame_size):
        packets += codec.encode(frame)
    return [bytes(packet) for packet in (*packets, *codec.encode(None))]


def ogg_opus(audio: Samples, rate: int = 48_000, *, channels: int = 1) -> bytes:
    """An Ogg stream with pages of a fifth of a second."""
    return _muxed("ogg", "libopus", audio, rate, LAYOUTS[channels], page_duration="200000")


def ogg_page(body: bytes, lengths: bytes, *, flags: int = 0, serial: int = 1) -> bytes:
    """A page with segments of these lengths. Flags are 1 for continued, 2 for first, 4 for last."""
    head = (b"OggS\0", bytes([flags]), bytes(8), serial.to_bytes(4, "little"), bytes(8))
    return b"".join((*head, bytes([len(lengths)]), lengths, body))


def adts(audio: Samples, rate: int = 48_000, *, channels: int = 1) -> bytes:
    """An ADTS stream of AAC-LC."""
    return _muxed("adts", "aac", audio, rate, ADTS_LAYOUTS[channels])


def mulaw(audio: Samples, rate: int) -> bytes:
    codec = av.CodecContext.create("pcm_mulaw", "w")
    codec.sample_rate = rate
    codec.layout = "mono"
    codec.format = "s16"
    frames = _frames(audio, rate, "mono", "s16", 1000)
    return b"".join(bytes(packet) for frame in frames for packet in codec.encode(frame))


def messages(encoding: Encoding, audio: Samples, rate: int, *, channels: int = 1) -> list[bytes]:
    """The audio as the binary messages of a session; streams are cut anywhere."""
    match encoding:
        case Encoding.PCM_S16LE:
            return cut(audio.astype("<i2").tobytes(), rate // 10 * 2)
        case Encoding.PCM_MULAW:
            return cut(mulaw(audio, rate), rate // 10)
        case Encoding.OPUS:
            return opus_packets(audio, rate, channels=channels)
        case Encoding.OGG_OPUS:
            return cut(ogg_opus(audio, rate, channels=channels), 333)
        case Encoding.AAC:
            return cut(adts(audio, rate, channels=channels), 333)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def _muxed(form: str, codec: str, audio: Samples, rate: int, layout: str, **options: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=form, options=options) as container:
        stream = cast(AudioStream, container.add_stream(codec, rate=rate))
        stream.layout = layout
        stream.bit_rate = 32_000 * stream.layout.nb_channels
        context = stream.codec_context
        context.open()
        form = context.format.name
        for frame in _frames(audio, rate, layout, form, context.frame_size):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _frames(
    audio: Samples, rate: int, layout: str, form: str, size: int
) -> Iterator[av.AudioFrame]:
    """The audio on every channel, in frames of this form and size."""
    channels = av.AudioLayout(layout).nb_channels
    frame = av.AudioFrame.from_ndarray(
        np.repeat(audio, channels)[np.newaxis], format="s16", layout=layout
    )
    frame.sample_rate = rate
    frame.pts = 0
    resampler = av.AudioResampler(form, layout, rate, frame_size=size)
    yield from resampler.resample(frame)
    yield from resampler.resample(None)
