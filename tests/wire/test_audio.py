"""Bytes to samples and milliseconds."""

from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnwire.wire.audio import AudioDecoder
from turnwire.wire.encodings import Encoding


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_samples_do_not_depend_on_where_messages_are_cut(data: bytes, cuts: list[int]) -> None:
    decoder = AudioDecoder(Encoding.PCM_S16LE, 22_050)
    edges = [0, *sorted(cuts), len(data)]
    pieces = [decoder.decode(data[a:b]) for a, b in pairwise(edges)]
    whole = np.frombuffer(data[: len(data) // 2 * 2], "<i2")
    assert np.concatenate(pieces).tolist() == whole.tolist()


def test_mulaw_is_what_ffmpeg_takes_for_mulaw() -> None:
    codes = bytes(range(256))
    reference = av.AudioCodecContext.create("pcm_mulaw", "r")
    reference.sample_rate = 8000
    reference.layout = "mono"
    [frame] = reference.decode(av.Packet(codes))
    decoded = AudioDecoder(Encoding.PCM_MULAW, 8000).decode(codes)
    assert decoded.tolist() == frame.to_ndarray()[0].tolist()


@pytest.mark.parametrize(
    ("encoding", "rate", "size", "ms"),
    [
        (Encoding.PCM_S16LE, 16_000, 1600, 50),
        (Encoding.PCM_S16LE, 8_000, 1600, 100),
        (Encoding.PCM_MULAW, 8_000, 1600, 200),
        (Encoding.PCM_S16LE, 22_050, 2205, 50),
    ],
)
def test_the_declared_rate_makes_bytes_milliseconds(
    encoding: Encoding, rate: int, size: int, ms: float
) -> None:
    assert AudioDecoder(encoding, rate).duration_ms(bytes(size)) == pytest.approx(ms)
