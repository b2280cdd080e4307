"""Streams as no encoder makes them: damaged by chance, and made with ill will."""

import random
from collections.abc import Callable, Iterator

from tests.encodings import adts, cut, ogg_opus, ogg_page, opus_packets, tone
from turnwire.wire.encodings import Encoding

AUDIO = tone(600)

ADTS = [adts(AUDIO), adts(AUDIO, channels=8), adts(tone(600, 8_000), 8_000, channels=2)]
OGG = [ogg_opus(AUDIO), ogg_opus(AUDIO, channels=8), ogg_opus(AUDIO, channels=2)]
OPUS = [opus_packets(AUDIO), opus_packets(AUDIO, channels=2, frame_ms=60)]


def streams(encoding: Encoding, seed: int) -> Iterator[list[bytes]]:
    """Corrupted streams without end, as the binary messages of a session each."""
    rng = random.Random(f"{encoding} {seed}")
    while True:
        if encoding is Encoding.OPUS:
            packets = [packet for packet in _packets(rng) if packet]
            yield packets or [rng.randbytes(1)]
        else:
            sound = rng.choice(OGG if encoding is Encoding.OGG_OPUS else ADTS)
            hostile = _ogg if encoding is Encoding.OGG_OPUS else _aac
            damaged = hostile(rng, sound) if rng.random() < 0.4 else _damaged(rng, sound)
            yield cut(damaged, rng.choice([100, 1000, 50_000])) or [rng.randbytes(9)]


def _packets(rng: random.Random) -> list[bytes]:
    packets = list(rng.choice(OPUS))
    for _ in range(rng.randint(1, 4)):
        where = rng.randrange(len(packets))
        packets[where] = rng.choice(
            [
                _damaged(rng, packets[where]),
                rng.randbytes(rng.choice([1, 2, 100, 1275, 1276, 9000])),
                # The head of any duration and mode, with any number of frames.
                bytes([rng.randrange(256), rng.randrange(256)]) + packets[where][2:],
                (packets[where] * rng.randint(2, 60))[:9000],
            ]
        )
    return packets


def _damaged(rng: random.Random, sound: bytes) -> bytes:
    return rng.choice(DAMAGES)(rng, bytearray(sound))


def _flip(rng: random.Random, data: bytearray) -> bytes:
    for _ in range(rng.choice([1, 3, 30])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _truncate(rng: random.Random, data: bytearray) -> bytes:
    return bytes(data[: rng.randrange(len(data))])


def _lose(rng: random.Random, data: bytearray) -> bytes:
    where = rng.randrange(len(data))
    del data[where : where + rng.choice([1, 10, 500])]
    return bytes(data)


def _overwrite(rng: random.Random, data: bytearray) -> bytes:
    where = rng.randrange(len(data))
    size = rng.choice([1, 8, 200])
    data[where : where + size] = rng.choice([rng.randbytes(size), bytes(size), b"\xff" * size])
    return bytes(data)


def _splice(rng: random.Random, data: bytearray) -> bytes:
    other = rng.choice([*ADTS, *OGG])
    return bytes(data[: rng.randrange(len(data))]) + other[rng.randrange(len(other)) :]


def _noise(rng: random.Random, data: bytearray) -> bytes:
    return rng.randbytes(len(data))


DAMAGES: list[Callable[[random.Random, bytearray], bytes]] = [
    *(_flip, _truncate, _lose, _overwrite, _splice, _noise)
]


def _aac(rng: random.Random, sound: bytes) -> bytes:
    """Frames whose borders are right, and nothing else."""
    frames = []
    at = 0
    while at < len(sound):
        length = (sound[at + 3] & 3) << 11 | sound[at + 4] << 3 | sound[at + 5] >> 5
        frame = bytearray(sound[at : at + length])
        if rng.random() < 0.2:
            # Profile, rate and channels: any of them, also those that are reserved.
            frame[2] = rng.randrange(256)
            frame[3] = rng.randrange(256) & 0xFC | frame[3] & 3
        if rng.random() < 0.2:
            for _ in range(rng.choice([1, 10, 100])):
                frame[rng.randrange(7, length)] = rng.randrange(256)
        if rng.random() < 0.05:
            # More than one block of audio in the frame.
            frame[6] |= rng.randrange(4)
        frames.append(bytes(frame))
        at += length
    return b"".join(frames)


def _ogg(rng: random.Random, sound: bytes) -> bytes:
    """Pages whose borders are right, of packets that are not."""
    head = bytearray(b"OpusHead\1\1" + bytes(9))
    # Channels, what to skip, the gain, the mapping, and how streams make channels.
    for field in rng.sample(range(9, len(head)), rng.randint(1, 6)):
        head[field] = rng.choice([0, 1, 2, 8, 127, 255])
    if rng.random() < 0.5:
        head += rng.randbytes(rng.choice([1, 2, 10, 200]))
    pages = [ogg_page(bytes(head), bytes([len(head)]), flags=2), ogg_page(b"OpusTags", b"\x08")]
    for _ in range(5):
        packets = [packet[:254] for packet in _packets(rng)]
        pages.append(ogg_page(b"".join(packets), bytes(map(len, packets))))
    return b"".join(pages)
