"""What is done for the engine's stream of one session, one thing after the other.

The engine takes audio at its own pace, and so all that concerns it waits in one queue. The socket
is read meanwhile: what waits is bounded by how far audio may be ahead of time, and for the whole
server by `HeldAudio`. Compressed audio holds the socket until it is decoded, because only then it
is known what it means.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Protocol

from turnwire.clock import Clock, resolve
from turnwire.server.decoders import CannotDecode, DecoderProcess, Decoders
from turnwire.server.held_audio import GUARANTEED_BYTES, HeldAudio
from turnwire.session import effects, events
from turnwire.speech.engine import Stream

Effect = effects.Recognize | effects.Decode | effects.Mark | effects.Configure | effects.Finish


class Shared(Protocol):
    """What the streams of one server share."""

    decoders: Decoders
    clock: Clock
    held_audio: HeldAudio


class Feeding:
    """Feeds a stream.

    `tell` is told what comes of it, and `changed` is called when `holding` may be another.
    """

    __slots__ = (
        "_changed",
        "_crowded_out",
        "_decoder",
        "_decoding",
        "_held_bytes",
        "_recorded_rate",
        "_shared",
        "_something_to_do",
        "_stopped",
        "_tell",
        "_waiting",
        "stream",
    )

    def __init__(
        self,
        stream: Stream,
        shared: Shared,
        tell: Callable[[events.Event], None],
        changed: Callable[[], None],
        *,
        recorded_rate: int | None = None,
    ) -> None:
        """`recorded_rate` is that of a recording, whose session is told what was taken of it."""
        self.stream = stream
        self._shared = shared
        self._tell = tell
        self._changed = changed
        self._decoder: DecoderProcess | None = None
        # A list, as it is short: an empty deque takes as much memory as 60 items.
        self._waiting: list[Effect] = []
        self._held_bytes = 0
        self._recorded_rate = recorded_rate
        # Made when there is something to wait for: an Event takes six times the memory.
        self._something_to_do: asyncio.Future[None] | None = None
        self._decoding = False
        self._crowded_out = False
        self._stopped = False

    @property
    def holding(self) -> bool:
        """Whether the socket is to be read no further."""
        return self._decoding or self._crowded_out

    def put(self, effect: Effect) -> None:
        self._waiting.append(effect)
        if self._something_to_do is not None:
            resolve(self._something_to_do)

    def recognize(self, effect: effects.Recognize) -> None:
        size = effect.samples.nbytes
        self._held_bytes += size
        self._shared.held_audio.held += size
        self.put(effect)
        if self._shared.held_audio.full and self._held_bytes > GUARANTEED_BYTES:
            self._crowded_out = True
            self._tell(events.NoRoom())
            self._changed()

    def decode(self, effect: effects.Decode) -> None:
        self._decoding = True
        self._changed()
        self.put(effect)

    def stop(self) -> None:
        """Decode nothing more: the end is decided."""
        self._stopped = True

    async def run(self) -> None:
        """Do what there is to do, until cancelled."""
        while True:
            while self._waiting:
                effect = self._waiting.pop(0)
                await self._HANDLERS[type(effect)](self, effect)
                # What was done last is let go of before waiting for more.
                effect = None  # type: ignore[assignment]
            self._something_to_do = asyncio.get_running_loop().create_future()
            await self._something_to_do

    async def close(self) -> None:
        """Let go of the stream, once nothing runs any more."""
        self._waiting.clear()
        self._take_from_store(self._held_bytes)
        if self._decoder is not None:
            self._decoder.close()
        await self.stream.close()

    async def _recognize(self, effect: effects.Recognize) -> None:
        await self.stream.feed(effect.samples)
        self._take_from_store(effect.samples.nbytes)
        if self._recorded_rate is not None:
            self._tell(events.Heard(len(effect.samples) / self._recorded_rate))
        if self._crowded_out and self._held_bytes < GUARANTEED_BYTES:
            self._crowded_out = False
            self._changed()

    def _take_from_store(self, size: int) -> None:
        self._held_bytes -= size
        self._shared.held_audio.held -= size

    async def _decode(self, effect: effects.Decode) -> None:
        if self._decoder is None:
            self._decoder = await self._shared.decoders.open(effect.encoding, self._shared.clock)
        try:
            async for samples in self._decoder.decode(effect.data):
                self._tell(events.Decoded(samples))
                if self._stopped:
                    return
        except CannotDecode as error:
            self._tell(events.Undecodable(str(error)))
        self._decoding = False
        self._changed()

    async def _mark(self, _: effects.Mark) -> None:
        self.stream.mark()

    async def _configure(self, effect: effects.Configure) -> None:
        self.stream.configure(effect.options)

    async def _finish(self, _: effects.Finish) -> None:
        self.stream.finish()

    _HANDLERS: ClassVar[dict[type, Callable[["Feeding", Any], Coroutine[Any, Any, None]]]] = {
        effects.Recognize: _recognize,
        effects.Decode: _decode,
        effects.Mark: _mark,
        effects.Configure: _configure,
        effects.Finish: _finish,
    }
