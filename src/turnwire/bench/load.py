"""Many sessions at once, each of them sending its audio as fast as it is spoken."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from turnwire.bench.clips import FRAMES_PER_S
from turnwire.bench.player import END_SECONDS, Player, Take, begin
from turnwire.bench.serving import BenchServer
from turnwire.bench.session_audio import SessionAudio

SLOTS = 10
"""Sessions take turns within the 50 ms of a frame, as clients that know nothing of each other."""

STAGGER_SECONDS = 5.0
"""Sessions begin at random moments of the first so many seconds."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What the load itself cost: a figure counts only if the clients kept to their schedule."""

    cores: float
    """CPU seconds per second."""
    late_ms: float
    """The furthest they were behind."""


class Wheel:
    """Sends the next frame of every session each 50 ms."""

    def __init__(self) -> None:
        self._slots: list[list[Player]] = [[] for _ in range(SLOTS)]
        self._added = 0
        self._late = 0.0
        self._began = time.monotonic()
        self._cpu = time.process_time()

    def add(self, player: Player) -> None:
        self._slots[self._added % SLOTS].append(player)
        self._added += 1

    @property
    def effort(self) -> Effort:
        """So far."""
        lasted = time.monotonic() - self._began
        used = time.process_time() - self._cpu
        return Effort(round(used / lasted, 3), round(1000 * self._late, 1))

    async def turn(self) -> None:
        """Never ends."""
        step = 1 / FRAMES_PER_S / SLOTS
        due = time.monotonic()
        while True:
            for slot in self._slots:
                early = due - time.monotonic()
                self._late = max(self._late, -early)
                await asyncio.sleep(max(early, 0))
                slot[:] = [player for player in slot if player.play()]
                due += step


@asynccontextmanager
async def turning() -> AsyncIterator[Wheel]:
    """A wheel that turns for as long as the context lasts."""
    wheel = Wheel()
    task = asyncio.create_task(wheel.turn())
    try:
        yield wheel
    finally:
        task.cancel()
        await asyncio.wait([task])


async def play(
    server: BenchServer,
    audios: Sequence[SessionAudio],
    parameters: Mapping[str, object],
    *,
    at_once: int | None = None,
) -> tuple[list[Take], Effort]:
    """Play each in a session of its own, and give what happened in each.

    All begin within `STAGGER_SECONDS`, if not `at_once` says how many there may be. `parameters`
    are those of the connections.
    """
    gate = asyncio.Semaphore(at_once or len(audios))
    stagger = 0.0 if at_once else min(STAGGER_SECONDS, audios[0].seconds / 4)
    # The same moments in every run.
    chance = random.Random(len(audios))

    async def one(audio: SessionAudio, delay: float) -> Take:
        await asyncio.sleep(delay)
        async with gate:
            player = await begin(server, audio, parameters)
            wheel.add(player)
            await player.ended(audio.seconds + END_SECONDS)
            return player.take

    async with turning() as wheel:
        takes = await asyncio.gather(*(one(audio, chance.uniform(0, stagger)) for audio in audios))
        return takes, wheel.effort
