"""From what a client sends to mono samples, at the rate that is wanted."""

from collections.abc import Iterator
from typing import Protocol

import av
from av.audio.codeccontext import AudioCodecContext

from turnwire.audio.mixing import Mixer
from turnwire.codecs.streams import AdtsStream, MalformedStream, OggStream


class Decoder(Protocol):
    """Decodes one client's audio to this many samples a second."""

    def __init__(self, rate: int) -> None: ...

    def decode(self, message: bytes) -> Iterator[bytes]:
        """The samples that are complete with this message, a little at a time.

        Raises av's errors, and `MalformedStream`, for what cannot be decoded.
        """


class OpusPackets:
    """Raw Opus packets, one a message.

    Each packet says whether it has one channel or two. All are decoded as two, because libopus
    would mix them into one even where they cancel each other out.
    """

    def __init__(self, rate: int) -> None:
        self._codec = _codec("libopus")
        self._codec.layout = "stereo"
        self._mixer = Mixer(rate)

    def decode(self, message: bytes) -> Iterator[bytes]:
        yield from _samples(self._codec, message, self._mixer)


class OggOpus:
    """Opus in Ogg (RFC 7845). libopus skips and amplifies as the header of the stream asks."""

    _LEAST_HEAD_BYTES = 19

    def __init__(self, rate: int) -> None:
        self._stream = OggStream()
        self._codec = _codec("libopus")
        self._tags_due = False
        self._mixer = Mixer(rate)

    def decode(self, message: bytes) -> Iterator[bytes]:
        for first, packet in self._stream.packets(message):
            if first:
                self._begin(packet)
            elif self._tags_due:
                self._tags_due = False
            elif packet:
                yield from _samples(self._codec, packet, self._mixer)

    def _begin(self, head: bytes) -> None:
        if not head.startswith(b"OpusHead") or len(head) < self._LEAST_HEAD_BYTES:
            raise MalformedStream("an Ogg stream that is not Opus")
        self._codec = _codec("libopus")
        self._codec.extradata = head
        self._tags_due = True


class Aac:
    """AAC in ADTS, of any profile, rate and number of channels that FFmpeg knows."""

    def __init__(self, rate: int) -> None:
        self._stream = AdtsStream()
        self._codec = _codec("aac")
        self._mixer = Mixer(rate)

    def decode(self, message: bytes) -> Iterator[bytes]:
        for frame in self._stream.packets(message):
            yield from _samples(self._codec, frame, self._mixer)


DECODERS: dict[str, type[Decoder]] = {"opus": OpusPackets, "ogg_opus": OggOpus, "aac": Aac}
"""By the name of the encoding on the wire."""


def _codec(name: str) -> AudioCodecContext:
    codec = av.CodecContext.create(name, "r")
    assert isinstance(codec, AudioCodecContext)
    codec.thread_count = 1
    return codec


def _samples(codec: AudioCodecContext, packet: bytes, mixer: Mixer) -> Iterator[bytes]:
    for frame in codec.decode(av.Packet(packet)):
        yield from mixer.mix(frame)
