"""The server's side of the processes that decode (`turnwire.codecs`).

A decoder is trusted with nothing: it may die, fall silent or say anything at any time, and all
that comes of it is `CannotDecode`.
"""

import asyncio
import contextlib
import itertools
import logging
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable

import numpy as np

from turnwire.clock import Clock, PatientTimer
from turnwire.codecs import framing
from turnwire.speech.engine import Samples
from turnwire.wire.encodings import DECODED_RATE, Encoding

OPEN_SECONDS = 30.0
"""How long a decoder may take to be there. The first waits for the process that forks them."""

REPLY_SECONDS = 10.0
"""How long a decoder may take for a second of audio, or for a message that has less."""

STOP_SECONDS = 5.0
"""How long all decoders may take to end; then the process that forked them is killed."""

INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
"""What decoders see of the server's environment, which may hold the password of a database."""

logger = logging.getLogger(__name__)


class CannotDecode(Exception):
    """The audio cannot be decoded; the text says why, as far as is known."""


class DecoderProcess:
    """The process that decodes one session's audio."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        clock: Clock,
        end: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._end = end

    async def begin(self, encoding: Encoding) -> None:
        """Tell it what it will have to decode. Raises OSError if it is not there."""
        self._say(f"{encoding} {DECODED_RATE}".encode())
        try:
            await self._reply_within(OPEN_SECONDS)
        except CannotDecode as error:
            raise OSError(f"no decoder could be started: {error}") from None

    async def decode(self, message: bytes) -> AsyncIterator[Samples]:
        """The samples of this message at `DECODED_RATE`, at most two seconds at a time.

        As long as the next are not asked for, the decoder waits. Raises `CannotDecode`.
        """
        self._say(message)
        kind = framing.MORE
        while kind == framing.MORE:
            kind, body = await self._reply_within(REPLY_SECONDS)
            samples = np.frombuffer(body, np.int16, count=len(body) // 2)
            if len(samples):
                yield samples

    def _say(self, message: bytes) -> None:
        self._writer.write(framing.MESSAGE.pack(len(message)) + message)

    async def _reply_within(self, seconds: float) -> tuple[bytes, bytes]:
        give_up = self._writer.transport.abort
        timer = PatientTimer(self._clock, self._clock.now() + seconds, give_up)
        try:
            return await self._reply()
        except (asyncio.IncompleteReadError, ConnectionError):
            logger.warning("a decoder died, or took more than %g s", seconds)
            raise CannotDecode("the decoder gave up") from None
        finally:
            timer.cancel()

    async def _reply(self) -> tuple[bytes, bytes]:
        head = await self._reader.readexactly(framing.REPLY.size)
        kind, length = framing.REPLY.unpack(head)
        if length > framing.LONGEST_REPLY_BYTES:
            raise CannotDecode("the decoder made no sense of it")
        body = await self._reader.readexactly(length)
        if kind == framing.FAILED:
            raise CannotDecode(body.decode(errors="replace"))
        return kind, body

    def close(self) -> None:
        """Kill the process, whatever it is doing."""
        self._writer.transport.abort()
        self._end()


class Decoders:
    """All decoders of one server, and the process that forks them, which starts with the first."""

    def __init__(self) -> None:
        self._starting = asyncio.Lock()
        self._forking: Process | None = None
        self._control: socket.socket | None = None
        self._numbers = itertools.count()
        self._open: set[int] = set()

    @property
    def open_decoders(self) -> int:
        return len(self._open)

    async def open(self, encoding: Encoding, clock: Clock) -> DecoderProcess:
        """A new decoder, to be closed. Raises OSError if there can be none."""
        async with self._starting:
            if self._forking is None or self._forking.returncode is not None:
                await self._start()
        number = next(self._numbers) % 2**32
        ours, theirs = socket.socketpair()
        with theirs:
            reader, writer = await asyncio.open_unix_connection(sock=ours)
            self._open.add(number)
            decoder = DecoderProcess(reader, writer, clock, lambda: self._end(number))
            try:
                self._request(framing.FORK, number, theirs.fileno())
                theirs.close()
                await decoder.begin(encoding)
            except BaseException:
                decoder.close()
                raise
        return decoder

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with contextlib.ExitStack() as failing, theirs:
            failing.callback(ours.close)
            self._forking = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "turnwire.codecs.forking"),
                stdin=theirs.fileno(),
                stdout=DEVNULL,
                env={name: os.environ[name] for name in INHERITED if name in os.environ},
                # Ctrl-C in a terminal is for the server, which has sessions to end.
                start_new_session=True,
            )
            failing.pop_all()
        if self._control is not None:
            self._control.close()
        self._control = ours

    def _request(self, kind: bytes, number: int, *descriptors: int) -> None:
        assert self._control is not None
        socket.send_fds(self._control, [framing.REQUEST.pack(kind, number)], descriptors)

    def _end(self, number: int) -> None:
        self._open.discard(number)
        # A forking process that is gone has taken its decoders with it: their sockets are closed.
        with contextlib.suppress(OSError):
            self._request(framing.END, number)

    async def aclose(self) -> None:
        """End all decoders that are left."""
        if self._forking is None or self._control is None:
            return
        self._control.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._forking.wait()
        except TimeoutError:
            self._forking.kill()
            await self._forking.wait()
