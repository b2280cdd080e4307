"""Streams of bytes, split anywhere, into the packets that they are made of.

Strict: transport is reliable, so a byte out of place is a client's mistake and not a loss to get
over. Checksums are not looked at for the same reason.
"""

from collections.abc import Iterator
from struct import Struct

LARGEST_PACKET = 1 << 20
"""Of Ogg: audio takes a fraction, a comment with pictures in it can take any size."""


class MalformedStream(Exception):
    """The bytes are no such stream; the text says where it breaks off."""


class AdtsStream:
    """Cuts an ADTS stream (ISO/IEC 13818-7, 6.2) into its frames, headers and all."""

    _HEADER_BYTES = 7

    def __init__(self) -> None:
        self._pending = bytearray()

    def packets(self, data: bytes) -> Iterator[bytes]:
        """The frames that are complete with these bytes; raises `MalformedStream`."""
        pending = self._pending
        pending += data
        while len(pending) >= self._HEADER_BYTES:
            # Twelve bits of sync word, one for the MPEG version, two for a layer that is always 0.
            if pending[0] != 0xFF or pending[1] & 0xF6 != 0xF0:
                raise MalformedStream("no ADTS header where a frame should begin")
            length = (pending[3] & 3) << 11 | pending[4] << 3 | pending[5] >> 5
            if length <= self._HEADER_BYTES:
                raise MalformedStream(f"an ADTS frame of {length} bytes")
            if len(pending) < length:
                return
            frame = bytes(pending[:length])
            del pending[:length]
            yield frame


class OggStream:
    """Cuts an Ogg stream (RFC 3533) into its packets. Chained streams may follow each other."""

    _HEADER = Struct("<4sBBqIIIB")
    _CONTINUED, _FIRST = 1, 2

    def __init__(self) -> None:
        self._pending = bytearray()
        self._packet: bytearray | None = None
        """A packet of which the rest is on the next page."""
        self._serial: int | None = None

    def packets(self, data: bytes) -> Iterator[tuple[bool, bytes]]:
        """The packets that are complete with these bytes, and whether each is on a first page.

        Raises `MalformedStream`.
        """
        self._pending += data
        while (page := self._page()) is not None:
            flags, lengths, body = page
            if bool(flags & self._CONTINUED) != (self._packet is not None):
                raise MalformedStream("an Ogg packet that is not continued as it should be")
            packet, self._packet = self._packet or bytearray(), None
            at = 0
            for length in lengths:
                packet += body[at : at + length]
                at += length
                if length < 255:
                    yield bool(flags & self._FIRST), bytes(packet)
                    packet = bytearray()
            if len(packet) > LARGEST_PACKET:
                raise MalformedStream(f"an Ogg packet of more than {LARGEST_PACKET} bytes")
            if lengths and lengths[-1] == 255:
                self._packet = packet

    def _page(self) -> tuple[int, bytes, bytes] | None:
        """The flags, segment lengths and body of the next page, if it is all there."""
        pending = self._pending
        if not pending.startswith(b"OggS"[: len(pending)]):
            raise MalformedStream("no Ogg page where one should begin")
        if len(pending) < self._HEADER.size:
            return None
        _, version, flags, _, serial, _, _, segments = self._HEADER.unpack_from(pending)
        if version != 0:
            raise MalformedStream(f"an Ogg page of version {version}")
        begin = self._HEADER.size + segments
        lengths = bytes(pending[self._HEADER.size : begin])
        end = begin + sum(lengths)
        if len(pending) < end:
            return None
        if flags & self._FIRST:
            self._serial = serial
        elif serial != self._serial:
            raise MalformedStream("an Ogg page of a stream that did not begin")
        body = bytes(pending[begin:end])
        del pending[:end]
        return flags, lengths, body
