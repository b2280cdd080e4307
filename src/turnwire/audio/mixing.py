"""Frames of any format, rate and layout into mono samples of 16 bits, all at one rate.

Channels are averaged, except where they cancel each other out: two that carry the same voice with
opposite signs have an average of nothing. Where the mix is far quieter than the loudest channel,
that channel is taken instead.
"""

import math
from array import array
from collections.abc import Iterator, Sequence
from operator import mul
from typing import cast

from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.error import BlockingIOError, EOFError
from av.filter import Graph

CANCELLED = 10**-1.2
"""A mix with less than this share of the loudest channel's power (-12 dB) has lost the voice.
The average of one channel with voice and one without has -6 dB."""

RESTORED = 10**-0.7
"""With more than this share (-7 dB) the mix is taken again."""

LOUDER = 4.0
"""Another channel has to have this many times the power before it is taken instead."""

MEMORY_SECONDS = 0.05
"""For how long power is averaged: longer than a period of any voice, shorter than a syllable."""


class Mixer:
    """Makes mono samples of frames, whose format, rate and layout may change on the way."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._form: tuple[str, int, str] | None = None
        self._conversion: _Conversion | None = None

    def mix(self, frame: AudioFrame) -> Iterator[bytes]:
        """The samples that are complete with this frame."""
        form = (frame.format.name, frame.sample_rate, _layout(frame.layout))
        if form != self._form:
            yield from self.flush()
            self._conversion = _Conversion(*form, frame.layout.nb_channels, self._rate)
            self._form = form
        assert self._conversion is not None
        yield from self._conversion.mixed(frame)

    def flush(self) -> Iterator[bytes]:
        """What the conversion of the rate still holds back; the next frame begins anew."""
        conversion, self._conversion, self._form = self._conversion, None, None
        if conversion is not None:
            yield from conversion.mixed(None)


class _Conversion:
    """Frames of one form: at the rate that is wanted, and then to one channel."""

    def __init__(self, form: str, rate: int, layout: str, channels: int, wanted_rate: int) -> None:
        separate = {"sample_fmts": "s16p", "sample_rates": str(wanted_rate)}
        mono = {"sample_fmts": "s16", "channel_layouts": "mono"}
        self._converted = _Graph(
            form, rate, layout, **(separate if channels > 1 else mono | separate)
        )
        self._mix = _Graph("s16p", wanted_rate, layout, **mono) if channels > 1 else None
        self._choice = _Choice(channels, MEMORY_SECONDS * wanted_rate)

    def mixed(self, frame: AudioFrame | None) -> Iterator[bytes]:
        for converted in self._converted.filtered(frame):
            channels = _planes(converted)
            if self._mix is None:
                yield from channels
            else:
                for mix in self._mix.filtered(converted):
                    yield self._choice.of(_planes(mix)[0], channels)


class _Graph:
    """FFmpeg's filters that give frames another form."""

    def __init__(self, form: str, rate: int, layout: str, **wanted: str) -> None:
        # Not `av.AudioResampler`: it would start a thread for each CPU, in each process.
        self._graph = graph = Graph()
        graph.threads = 1
        source = graph.add(
            "abuffer",
            sample_fmt=form,
            channel_layout=layout,
            sample_rate=str(rate),
            time_base=f"1/{rate}",
        )
        graph.link_nodes(source, graph.add("aformat", **wanted), graph.add("abuffersink"))
        graph.configure()

    def filtered(self, frame: AudioFrame | None) -> Iterator[AudioFrame]:
        """What is complete with this frame; with None, what is left."""
        self._graph.push(frame)
        while True:
            try:
                yield cast(AudioFrame, self._graph.pull())
            except (BlockingIOError, EOFError):
                return


class _Choice:
    """Whether the mix is to be taken, or which of its channels."""

    def __init__(self, channels: int, memory: float) -> None:
        self._memory = memory
        self._mix_power = 0.0
        self._powers = [0.0] * channels
        self._channel: int | None = None

    def of(self, mix: bytes, channels: Sequence[bytes]) -> bytes:
        """The best of these samples, which all last equally long."""
        if all(channel == channels[0] for channel in channels):
            return mix
        kept = math.exp(-len(mix) / 2 / self._memory)
        self._mix_power = kept * self._mix_power + _power(mix)
        self._powers = [
            kept * power + _power(channel)
            for power, channel in zip(self._powers, channels, strict=True)
        ]
        self._choose()
        return mix if self._channel is None else channels[self._channel]

    def _choose(self) -> None:
        loudest = max(range(len(self._powers)), key=self._powers.__getitem__)
        power = self._powers[loudest]
        if self._channel is None:
            if self._mix_power < CANCELLED * power:
                self._channel = loudest
        elif self._mix_power > RESTORED * power:
            self._channel = None
        elif power > LOUDER * self._powers[self._channel]:
            self._channel = loudest


def _layout(layout: AudioLayout) -> str:
    # "2 channels", as files without an order of channels have it, is no name that filters know.
    unnamed = layout.name.removesuffix(" channels")
    return f"{unnamed}c" if unnamed.isdecimal() else layout.name


def _planes(frame: AudioFrame) -> list[bytes]:
    # A plane may be longer than its samples.
    return [bytes(plane)[: 2 * frame.samples] for plane in frame.planes]


def _power(samples: bytes) -> int:
    values = array("h", samples)
    return sum(map(mul, values, values))
