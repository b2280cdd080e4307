"""One way of mixing, for a server's decoders and a client's files."""

import io
from collections.abc import Iterable
from itertools import chain
from typing import cast

import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext
from numpy.typing import NDArray

from tests.recordings import samples
from turnwire.audio.mixing import Mixer
from turnwire.codecs.decoding import DECODERS
from turnwire.wire.encodings import Encoding

Samples = NDArray[np.int16]

SPEECH, RATE = samples("beckett.wav")
SPEECH = SPEECH[: 2 * RATE]


def frame(*channels: Samples, rate: int = RATE, layout: str = "stereo") -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.stack(channels), format="s16p", layout=layout)
    frame.sample_rate = rate
    return frame


def frames(*channels: Samples, layout: str = "stereo") -> Iterable[av.AudioFrame]:
    for start in range(0, len(SPEECH), 320):
        yield frame(*(channel[start : start + 320] for channel in channels), layout=layout)


def mixed(frames: Iterable[av.AudioFrame], rate: int = RATE) -> Samples:
    mixer = Mixer(rate)
    made = chain(chain.from_iterable(map(mixer.mix, frames)), mixer.flush())
    return np.frombuffer(b"".join(made), np.int16)


def likeness(one: Samples, other: Samples) -> float:
    """The correlation of both, whatever their signs and how loud they are."""
    return abs(float(np.corrcoef(one, other)[0, 1]))


def test_one_channel_and_two_that_are_equal_stay_what_they_are() -> None:
    assert np.array_equal(mixed(frames(SPEECH, layout="mono")), SPEECH)
    assert np.array_equal(mixed(frames(SPEECH, SPEECH)), SPEECH)


@pytest.mark.parametrize("share", [-1.0, -0.9, -1.1, -0.7])
def test_channels_that_cancel_each_other_out_give_the_louder_one(share: float) -> None:
    other = (SPEECH * share).astype(np.int16)
    heard = mixed(frames(SPEECH, other))
    assert likeness(heard, SPEECH) > 0.99
    assert np.abs(heard).max() >= 0.95 * np.abs(SPEECH).max()


def test_voices_on_different_channels_are_both_heard() -> None:
    one, two = SPEECH.copy(), np.roll(SPEECH, RATE)
    one[RATE:], two[RATE:] = 0, 0
    heard = mixed(frames(one, two[::-1].copy()))
    assert np.abs(heard[:RATE]).max() > 0.4 * np.abs(SPEECH[:RATE]).max()


def test_a_voice_that_turns_over_in_the_middle_is_heard_all_the_time() -> None:
    other = np.concatenate([SPEECH[:RATE], -SPEECH[RATE:]])
    heard = mixed(frames(SPEECH, other))
    assert likeness(heard[:RATE], SPEECH[:RATE]) > 0.99
    assert likeness(heard[RATE:], SPEECH[RATE:]) > 0.99


def test_another_form_in_the_middle_loses_nothing() -> None:
    forms = [
        frame(SPEECH[:RATE], layout="mono"),
        frame(*[np.repeat(SPEECH[RATE:], 3)] * 2, rate=3 * RATE),
    ]
    heard = mixed(forms)
    assert abs(len(heard) - len(SPEECH)) <= 2
    assert likeness(heard[: len(SPEECH) - 2], SPEECH[: len(heard) - 2]) > 0.95


@pytest.mark.parametrize("encoding", [Encoding.OPUS, Encoding.OGG_OPUS, Encoding.AAC])
def test_a_server_hears_inverted_channels_in_every_encoding(encoding: Encoding) -> None:
    decoder = DECODERS[encoding](RATE)
    sent = inverted(encoding)
    heard = np.frombuffer(b"".join(chain.from_iterable(map(decoder.decode, sent))), np.int16)
    assert len(heard) > 0.9 * len(SPEECH)
    assert np.abs(heard).max() > 0.5 * np.abs(SPEECH).max()


def inverted(encoding: Encoding) -> list[bytes]:
    """The speech on two channels with opposite signs, as messages of a session."""
    name, form = ("aac", "fltp") if encoding is Encoding.AAC else ("libopus", "s16")
    if encoding is Encoding.OPUS:
        codec = cast(AudioCodecContext, av.CodecContext.create(name, "w"))
        codec.sample_rate = RATE
        codec.layout = "stereo"
        codec.format = form
        # Low rates would have libopus send one channel.
        codec.bit_rate = 128_000
        codec.open()
        packets = [p for made in _encodable(form, codec.frame_size) for p in codec.encode(made)]
        return [bytes(packet) for packet in packets]
    container_form = "adts" if encoding is Encoding.AAC else "ogg"
    return [written(container_form, name, form)]


def written(container_form: str, name: str, form: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container_form) as container:
        stream = cast(av.AudioStream, container.add_stream(name, rate=RATE))
        stream.layout = "stereo"
        stream.bit_rate = 128_000
        stream.codec_context.open()
        for made in _encodable(stream.codec_context.format.name, stream.codec_context.frame_size):
            container.mux(stream.encode(made))
        container.mux(stream.encode(None))
    return file.getvalue()


def _encodable(form: str, size: int) -> list[av.AudioFrame]:
    whole = frame(SPEECH, -SPEECH)
    whole.pts = 0
    resampler = av.AudioResampler(form, "stereo", RATE, frame_size=size)
    return [*resampler.resample(whole), *resampler.resample(None)]
