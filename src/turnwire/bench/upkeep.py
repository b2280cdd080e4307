"""What sessions cost apart from recognition: each frame, each that is idle, each that was."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np

from turnwire.bench import BenchError
from turnwire.bench.clips import FRAMES_PER_S, SPEECH_RATE, frames_of
from turnwire.bench.load import Effort, turning
from turnwire.bench.machine import Machine, this_machine
from turnwire.bench.measuring import Spread, begins, closes
from turnwire.bench.player import END_SECONDS, Player, Take, begin
from turnwire.bench.serving import BenchServer
from turnwire.bench.session_audio import Passage, SessionAudio
from turnwire.server.http import allow_open_files
from turnwire.wire.closures import SESSION_ENDED

OPENING_AT_ONCE = 50

KEEP_ALIVE_SECONDS = 10.0
INACTIVITY_SECONDS = 25
"""After so long without a message a session ends: those that stay were kept alive."""

SPARE_DESCRIPTORS = 100

WARM_UP_SESSIONS = 1000
"""Memory grows by some megabytes in the first of them, and then hardly any more."""


@dataclass(frozen=True, slots=True)
class OverheadFigures:
    model: str
    sessions: int
    frames: int
    cpu_us_per_frame: float
    """From when all have begun to when all have ended, whatever they caused."""
    ended_well: int
    begin: Spread | None
    close: Spread | None
    load: Effort
    machine: Machine


@dataclass(frozen=True, slots=True)
class IdleFigures:
    model: str
    sessions: int
    seconds: float
    held: int
    """How many were still open at the end."""
    kb_per_session: float
    cpu_us_per_session_second: float
    begin: Spread | None
    machine: Machine


@dataclass(frozen=True, slots=True)
class ChurnFigures:
    model: str
    sessions: int
    ended_well: int
    sessions_per_second: float
    memory_before_mb: float
    memory_after_mb: float
    growth_percent: float
    machine: Machine


def talk(seconds: float, phase: int = 0) -> SessionAudio:
    """Three seconds of tone, in which the echo engine hears words, and two of silence, in turn."""
    tone = (8000 * np.sin(np.arange(SPEECH_RATE * 3) * 0.2)).astype("<i2")
    pcm = np.concatenate((tone, np.zeros(SPEECH_RATE * 2, "<i2"))).tobytes()
    frames = frames_of(pcm, SPEECH_RATE)
    count = round(seconds * FRAMES_PER_S)
    played = tuple(itertools.islice(itertools.cycle(frames), phase, phase + count))
    return SessionAudio(SPEECH_RATE, [Passage(None, played, whole=False)])


async def _open(
    server: BenchServer,
    audios: Sequence[SessionAudio],
    parameters: Mapping[str, object],
    players: list[Player],
) -> None:
    """Add a session for each, none of which has played anything yet."""
    _allow_sockets(len(audios))
    gate = asyncio.Semaphore(OPENING_AT_ONCE)

    async def one(audio: SessionAudio) -> None:
        async with gate:
            players.append(await begin(server, audio, parameters))

    await asyncio.gather(*map(one, audios))


async def _end(players: Iterable[Player]) -> None:
    gate = asyncio.Semaphore(OPENING_AT_ONCE)

    async def one(player: Player) -> None:
        async with gate:
            player.terminate()
            await player.ended()

    await asyncio.gather(*map(one, players))


@asynccontextmanager
async def _kept_alive(players: Sequence[Player]) -> AsyncIterator[None]:
    """Send KeepAlive for those that are there, also for those that come."""

    async def keep() -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE_SECONDS)
            for player in players:
                player.keep_alive()

    keeping = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


async def _open_and_end(server: BenchServer, audios: Sequence[SessionAudio]) -> list[Take]:
    """Each in a session of its own, sent at once, some of them at a time."""
    gate = asyncio.Semaphore(OPENING_AT_ONCE)

    async def one(audio: SessionAudio) -> Take:
        async with gate:
            player = await begin(server, audio)
            while player.play():
                pass
            await player.ended()
            return player.take

    return await asyncio.gather(*map(one, audios))


def _allow_sockets(count: int) -> None:
    """Raises `BenchError` if this process may not have so many."""
    needed, allowed = count + SPARE_DESCRIPTORS, allow_open_files()
    if 0 <= allowed < needed:
        raise BenchError(
            f"{count} sessions need {needed} open files, and the limit is {allowed} (ulimit -n)."
        )


def _ended_well(takes: Iterable[Take]) -> int:
    return sum(take.code == SESSION_ENDED.code for take in takes)


async def measure_overhead(
    server: BenchServer, *, model: str, sessions: int, seconds: float
) -> OverheadFigures:
    """CPU of the server for each frame of 50 ms, with so many sessions that speak."""
    machine = this_machine()
    players: list[Player] = []
    await _open(server, [talk(seconds, phase) for phase in range(sessions)], {}, players)
    before = await server.usage()
    async with turning() as wheel:
        for player in players:
            wheel.add(player)
        await asyncio.gather(*(player.ended(seconds + END_SECONDS) for player in players))
        effort = wheel.effort
    after = await server.usage()
    takes = [player.take for player in players]
    frames = sum(len(take.sent) for take in takes)
    cpu = after.cpu_seconds - before.cpu_seconds
    return OverheadFigures(
        model=model,
        sessions=sessions,
        frames=frames,
        cpu_us_per_frame=round(1e6 * cpu / frames, 1) if frames else 0.0,
        ended_well=_ended_well(takes),
        begin=Spread.of(begins(takes)),
        close=Spread.of(closes(takes)),
        load=effort,
        machine=machine,
    )


async def measure_idle(
    server: BenchServer, *, model: str, sessions: int, seconds: float
) -> IdleFigures:
    """Memory of a session that sends nothing but KeepAlive, and whether so many hold."""
    machine = this_machine()
    nothing = SessionAudio(SPEECH_RATE, [])
    await _open_and_end(server, [nothing] * OPENING_AT_ONCE)
    before = await server.usage()
    patience = {"inactivity_timeout": INACTIVITY_SECONDS}
    players: list[Player] = []
    async with _kept_alive(players):
        await _open(server, [nothing] * sessions, patience, players)
        opened = await server.usage()
        await asyncio.sleep(seconds)
        after = await server.usage()
        held = sum(not player.over.is_set() for player in players)
        await _end(players)
    return IdleFigures(
        model=model,
        sessions=sessions,
        seconds=seconds,
        held=held,
        kb_per_session=round(1024 * (after.memory_mb - before.memory_mb) / sessions, 1),
        cpu_us_per_session_second=round(
            1e6 * (after.cpu_seconds - opened.cpu_seconds) / sessions / seconds, 1
        ),
        begin=Spread.of(begins(player.take for player in players)),
        machine=machine,
    )


async def measure_churn(server: BenchServer, *, model: str, sessions: int) -> ChurnFigures:
    """Memory before and after so many sessions that opened, spoke for a second, and closed."""
    machine = this_machine()
    await _open_and_end(server, [talk(1.0)] * WARM_UP_SESSIONS)
    before = await server.usage()
    began = time.monotonic()
    takes = await _open_and_end(server, [talk(1.0)] * sessions)
    lasted = time.monotonic() - began
    after = await server.usage()
    return ChurnFigures(
        model=model,
        sessions=sessions,
        ended_well=_ended_well(takes),
        sessions_per_second=round(sessions / lasted, 1),
        memory_before_mb=round(before.memory_mb, 1),
        memory_after_mb=round(after.memory_mb, 1),
        growth_percent=round(100 * (after.memory_mb / before.memory_mb - 1), 2),
        machine=machine,
    )
