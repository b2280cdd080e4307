"""What an attack does to everybody else: how soon they begin, and whether their turns are late."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from turnwire.bench.attackers import Attackers
from turnwire.bench.clips import SPEECH_RATE, Clip
from turnwire.bench.measuring import Spread
from turnwire.bench.player import begin
from turnwire.bench.serving import BenchServer
from turnwire.bench.session_audio import SessionAudio
from turnwire.bench.speech import SpeechFigures, measure_load
from turnwire.wire.closures import SESSION_ENDED

SPEAKERS = 10

BETWEEN_SECONDS = 0.1
"""From one client that asks for a session to the next."""


@dataclass(frozen=True, slots=True)
class StormFigures:
    """Clients that begin one after another and sessions that speak, during an attack."""

    attack: str
    """The name of one of `attackers.ATTACKS`, or "nothing"."""
    asked: int
    """How many clients asked for a session, beside those that speak."""
    ended_well: int
    """How many of those had one."""
    begin: Spread | None
    speech: SpeechFigures


async def measure_storm(
    server: BenchServer, clips: Sequence[Clip], *, model: str, attack: str | None, seconds: float
) -> StormFigures:
    """Ten sessions that speak, and newcomers all the while; with the attack, None for without."""
    newcomers = Newcomers(server)
    async with _attacked(server, attack), newcomers.coming():
        speech, _ = await measure_load(
            server, clips, model=model, sessions=SPEAKERS, seconds=seconds, duty=0.5
        )
    return StormFigures(
        attack or "nothing",
        newcomers.asked,
        newcomers.ended_well,
        Spread.of(newcomers.begin),
        speech,
    )


class Newcomers:
    """Clients that ask for a session one after another, and end it."""

    def __init__(self, server: BenchServer) -> None:
        self._server = server
        self.asked = self.ended_well = 0
        self.begin: list[float] = []

    @asynccontextmanager
    async def coming(self) -> AsyncIterator[None]:
        """They come for as long as the context lasts; the last is waited for."""
        stop = asyncio.Event()
        task = asyncio.create_task(self._come(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait([task])

    async def _come(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self.asked += 1
            player = await begin(self._server, SessionAudio(SPEECH_RATE, []))
            player.terminate()
            await player.ended()
            take = player.take
            if take.begun is not None:
                self.begin.append(take.begun - take.asked)
            self.ended_well += take.code == SESSION_ENDED.code
            await asyncio.sleep(BETWEEN_SECONDS)


@asynccontextmanager
async def _attacked(server: BenchServer, attack: str | None) -> AsyncIterator[None]:
    if attack is None:
        yield
        return
    target = server.url, server.host, server.port, server.api_key
    attackers = await asyncio.to_thread(Attackers.begin, attack, target)
    try:
        yield
    finally:
        await asyncio.to_thread(attackers.stop)
