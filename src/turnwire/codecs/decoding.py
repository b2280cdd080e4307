"""From what a client sends to mono samples, at the rate that is wanted."""

from collections.abc import Iterator
from typing import Protocol, cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.error import BlockingIOError, EOFError
from av.filter import Graph

from turnwire.codecs.streams import AdtsStream, MalformedStream, OggStream


class Decoder(Protocol):
    """Decodes one client's audio to this many samples a second."""

    def __init__(self, rate: int) -> None: ...

    def decode(self, message: bytes) -> Iterator[bytes]:
        """The samples that are complete with this message, a little at a time.

        Raises av's errors, and `MalformedStream`, for what cannot be decoded.
        """


class OpusPackets:
    """Raw Opus packets, one a message. libopus mixes two channels into one itself."""

    def __init__(self, rate: int) -> None:
        self._codec = _codec("libopus")
        self._codec.layout = "mono"
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


class Mixer:
    """Makes mono samples of 16 bits of frames, whose form may change on the way."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._form: tuple[str, str, int] | None = None
        self._graph = Graph()

    def mix(self, frame: AudioFrame) -> Iterator[bytes]:
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form:
            self._graph = _graph(*form, self._rate)
            self._form = form
        self._graph.push(frame)
        while True:
            try:
                mixed = cast(AudioFrame, self._graph.pull())
            except (BlockingIOError, EOFError):
                return
            # A plane may be longer than its samples.
            yield bytes(mixed.planes[0])[: 2 * mixed.samples]


def _graph(form: str, layout: str, rate: int, wanted_rate: int) -> Graph:
    # Not `av.AudioResampler`: it would start a thread for each CPU, in each process.
    graph = Graph()
    graph.threads = 1
    source = graph.add(
        "abuffer", sample_fmt=form, channel_layout=layout, sample_rate=str(rate), time_base="1/1"
    )
    wanted = graph.add(
        "aformat", sample_fmts="s16", channel_layouts="mono", sample_rates=str(wanted_rate)
    )
    graph.link_nodes(source, wanted, graph.add("abuffersink")).configure()
    return graph


def _codec(name: str) -> AudioCodecContext:
    codec = av.CodecContext.create(name, "r")
    assert isinstance(codec, AudioCodecContext)
    codec.thread_count = 1
    return codec


def _samples(codec: AudioCodecContext, packet: bytes, mixer: Mixer) -> Iterator[bytes]:
    for frame in codec.decode(av.Packet(packet)):
        yield from mixer.mix(frame)
