"""Streams cut anywhere, and streams that are none."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.encodings import adts, ogg_opus, ogg_page, opus_packets, tone
from turnwire.codecs.streams import LARGEST_PACKET, AdtsStream, MalformedStream, OggStream

AUDIO = tone(500)
ADTS = adts(AUDIO)
OGG = ogg_opus(AUDIO)

CUTS = st.lists(st.integers(0, 10_000), max_size=20)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@given(CUTS)
def test_adts_frames_do_not_depend_on_where_messages_are_cut(cuts: list[int]) -> None:
    stream = AdtsStream()
    frames = [frame for piece in pieces(ADTS, cuts) for frame in stream.packets(piece)]
    assert b"".join(frames) == ADTS
    assert len(frames) > 20
    assert all(frame.startswith(b"\xff\xf1") for frame in frames)


@given(CUTS)
def test_ogg_packets_do_not_depend_on_where_messages_are_cut(cuts: list[int]) -> None:
    stream = OggStream()
    packets = [packet for piece in pieces(OGG, cuts) for packet in stream.packets(piece)]
    (first, head), (_, tags), *audio = packets
    assert first
    assert head.startswith(b"OpusHead")
    assert tags.startswith(b"OpusTags")
    assert not any(first for first, _ in audio)
    assert [packet for _, packet in audio] == opus_packets(AUDIO)


def packets(*pages: bytes) -> list[bytes]:
    stream = OggStream()
    return [packet for _, packet in stream.packets(b"".join(pages))]


@pytest.mark.parametrize("size", [0, 1, 254, 255, 256, 510, 70_000])
def test_an_ogg_packet_of_any_size_goes_on_over_pages(size: int) -> None:
    body = bytes(n % 251 for n in range(size))
    lengths = bytes([255] * (size // 255) + [size % 255])
    parts = [
        ogg_page(
            body[255 * at : 255 * (at + 100)], lengths[at : at + 100], flags=2 if at == 0 else 1
        )
        for at in range(0, len(lengths), 100)
    ]
    assert packets(*parts) == [body]


BEGIN = ogg_page(b"x", b"\1", flags=2)


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        ([b"RIFF"], "no Ogg page where one should begin"),
        ([BEGIN, b"Ogg!"], "no Ogg page where one should begin"),
        ([b"OggS\1" + bytes(22)], "an Ogg page of version 1"),
        ([ogg_page(b"x", b"\1")], "an Ogg page of a stream that did not begin"),
        ([BEGIN, ogg_page(b"x", b"\1", serial=2)], "an Ogg page of a stream that did not begin"),
        ([BEGIN, ogg_page(b"x", b"\1", flags=1)], "not continued as it should be"),
        (
            [BEGIN, ogg_page(bytes(255), b"\xff"), ogg_page(b"x", b"\1")],
            "not continued as it should be",
        ),
        (
            [BEGIN, ogg_page(bytes(65_025), b"\xff" * 255)]
            + [ogg_page(bytes(65_025), b"\xff" * 255, flags=1)] * (LARGEST_PACKET // 65_025),
            "an Ogg packet of more than 1048576 bytes",
        ),
    ],
)
def test_what_is_no_ogg_stream(pages: list[bytes], why: str) -> None:
    with pytest.raises(MalformedStream, match=why):
        packets(*pages)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"ID3\4\0\0\0", "no ADTS header"),
        (ADTS + bytes(7), "no ADTS header"),
        (b"\xff\xf1\x4c\x40\0\xe0\xfc", "an ADTS frame of 7 bytes"),
    ],
)
def test_what_is_no_adts_stream(data: bytes, why: str) -> None:
    with pytest.raises(MalformedStream, match=why):
        list(AdtsStream().packets(data))
