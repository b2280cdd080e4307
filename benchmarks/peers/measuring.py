"""The figures of one server: cost, words, how soon, how many at once."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.dialogue import Peer
from benchmarks.peers.playing import Recording, Take, play, recording
from benchmarks.peers.servers import PeerError, Server, serving
from turnwire.bench.capacity import find_capacity
from turnwire.bench.clips import SPEECH_RATE, Clip
from turnwire.bench.measuring import Spread
from turnwire.bench.scoring import normalise
from turnwire.bench.words import ErrorRate

WARM_UP_SECONDS = 5.0

LATE_SECONDS = 3.0
"""A session is held if its first text comes within so much of when somebody began to speak, and all
of its text within so much of when the last one stopped."""


@dataclass(frozen=True, slots=True)
class Step:
    """So many sessions at once, and what became of them."""

    sessions: int
    held: int
    failed: int
    cpu_ms_per_speech_second: float
    first_text: Spread | None
    all_text: Spread | None


@dataclass(frozen=True, slots=True)
class PeerFigures:
    """What was measured of one server; times are in milliseconds."""

    name: str
    version: str
    recordings: int
    failed: int
    speech_seconds: float
    cpu_ms_per_speech_second: float
    cpu_ms_per_idle_second: float
    """Of its process while nobody is connected."""
    words: ErrorRate | None
    first_text: Spread | None
    """From when somebody began to speak to the first text."""
    all_text: Spread | None
    """From when the last one stopped to the last change of the words shown, final or not."""
    final_text: Spread | None
    """The same to the last change of the final words, where all became final."""
    never_final: int
    """How many recordings had words at their end that were never told to be final."""
    sessions: int | None
    """The most at once that were all held; None if nobody asked."""
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class _Timed:
    first: float | None
    whole: float | None
    final: float | None

    @property
    def held(self) -> bool:
        return all(late is not None and late <= LATE_SECONDS for late in (self.first, self.whole))


async def measure(
    peer: Peer, python: Path, weights: Path, clips: Sequence[Clip], seconds: float
) -> PeerFigures:
    """Each clip in a session of its own, one after another; then ever more sessions at once, each
    for so long, if that is any time at all. Raises `PeerError`."""
    async with serving(peer, python, weights) as server:
        await _warm_up(server, clips)
        idle = await _idle(server)
        played = [(clip, found) for clip in clips if (found := recording(clip.pcm)) is not None]
        before = server.cpu_seconds()
        takes = [await play(server, each) for _, each in played]
        used = server.cpu_seconds() - before
        steps: list[Step] = []

        async def holds(sessions: int) -> bool:
            step = await _together(server, clips, sessions, seconds)
            steps.append(step)
            return step.held == sessions

        most = await find_capacity(holds, start=2) if seconds else None
    timed = [_timed(take) for take in takes]
    speech = sum(each.seconds for _, each in played)
    return PeerFigures(
        name=peer.name,
        version=await _version(peer, python),
        recordings=len(takes),
        failed=sum(take.failed is not None for take in takes),
        speech_seconds=round(speech, 1),
        cpu_ms_per_speech_second=round(1000 * used / speech, 1),
        cpu_ms_per_idle_second=idle,
        words=ErrorRate.of(
            (clip.reference, take.text.shown)
            for (clip, _), take in zip(played, takes, strict=True)
            if clip.reference
        ),
        first_text=_spread(each.first for each in timed),
        all_text=_spread(each.whole for each in timed),
        final_text=_spread(each.final for each in timed),
        never_final=sum(each.final is None for each in timed),
        sessions=most,
        steps=steps,
    )


async def _warm_up(server: Server, clips: Sequence[Clip]) -> None:
    """What is loaded with the first session is loaded."""
    found = recording(_conversation(clips, WARM_UP_SECONDS, seed=0))
    take = None if found is None else await play(server, found)
    if take is None or take.failed is not None:
        why = "there is no speech in these recordings" if take is None else take.failed
        raise PeerError(f"{server.peer.name} cannot be measured: {why}.")


async def _idle(server: Server) -> float:
    before = server.cpu_seconds()
    await asyncio.sleep(WARM_UP_SECONDS)
    return round(1000 * (server.cpu_seconds() - before) / WARM_UP_SECONDS, 1)


async def _together(server: Server, clips: Sequence[Clip], sessions: int, seconds: float) -> Step:
    played = [
        found
        for seed in range(sessions)
        if (found := recording(_conversation(clips, seconds, seed))) is not None
    ]
    chance = random.Random(sessions)

    async def one(each: Recording) -> Take:
        # Clients that know nothing of each other.
        await asyncio.sleep(chance.uniform(0, 2))
        return await play(server, each)

    before = server.cpu_seconds()
    takes = await asyncio.gather(*(one(each) for each in played))
    used = server.cpu_seconds() - before
    timed = [_timed(take) for take in takes]
    return Step(
        sessions=sessions,
        held=sum(
            each.held and take.failed is None for each, take in zip(timed, takes, strict=True)
        ),
        failed=sum(take.failed is not None for take in takes),
        cpu_ms_per_speech_second=round(1000 * used / sum(each.seconds for each in played), 1),
        first_text=_spread(each.first for each in timed),
        all_text=_spread(each.whole for each in timed),
    )


def _conversation(clips: Sequence[Clip], seconds: float, seed: int) -> bytes:
    """Whole clips, in the order that `seed` gives, for at least so long."""
    pcm = b""
    for clip in random.Random(seed).choices(clips, k=1000):
        pcm += clip.pcm
        if len(pcm) >= 2 * SPEECH_RATE * seconds:
            break
    return pcm


def _timed(take: Take) -> _Timed:
    """From the moments at which the words changed; how they are written does not matter."""
    if not take.sent:
        return _Timed(None, None, None)
    shown, final = "", ""
    first = whole = finals = None
    for at, text in take.heard:
        if normalise(text.shown) != shown:
            shown, whole = normalise(text.shown), at
            first = first or at
        if normalise(text.final) != final:
            final, finals = normalise(text.final), at
    ends = take.when(take.recording.ends)
    return _Timed(
        None if first is None else first - take.when(take.recording.starts),
        None if whole is None else whole - ends,
        None if finals is None or final != shown else finals - ends,
    )


def _spread(seconds: Iterable[float | None]) -> Spread | None:
    return Spread.of([each for each in seconds if each is not None])


async def _version(peer: Peer, python: Path) -> str:
    ask = f"from importlib.metadata import version; print(version({peer.package!r}))"
    process = await asyncio.create_subprocess_exec(
        str(python), "-c", ask, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return said.decode().strip()
