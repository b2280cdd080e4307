"""What a server does that has too little time: for a moment, and for good."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from turnwire.bench import BenchError
from turnwire.bench.clips import Clip
from turnwire.bench.measuring import Judged, Spread
from turnwire.bench.serving import BenchServer
from turnwire.bench.speech import SpeechFigures, measure_load
from turnwire.bench.words import Words

BEFORE_SECONDS = 20.0
"""How long sessions speak before the server's CPU is taken."""

SETTLED_SECONDS = 10.0
"""How long after it is back every final text has to be on time again."""

ON_TIME_SECONDS = 4.0
"""How long after its last word a final text has to come then; up to 1.3 s of that is the silence
that ends its turn."""

TIMES_ADMITTED = 1.5
"""How many times the sessions that a server admits are too many."""

OVERLOAD_P95_SECONDS = 3.0
"""How late, beyond the silence, 95 % of the turns may end then."""

_PARTS = 5
"""An overload is judged in as many parts, so that one that grows is seen."""


@dataclass(frozen=True, slots=True)
class DisturbFigures:
    """Sessions that all speak, and a server without CPU for a while."""

    without_cpu_seconds: float
    final_after: Spread | None
    """End of speech to final, of turns that ended after the server had settled: milliseconds."""
    late_after: int
    """How many of those were not on time."""
    ended_badly: int
    speech: SpeechFigures

    @property
    def holds(self) -> bool:
        return self.final_after is not None and not self.late_after and not self.ended_badly

    def with_words(self, words: Words | None) -> Self:
        return replace(self, speech=self.speech.with_words(words))


@dataclass(frozen=True, slots=True)
class OverloadFigures:
    """More sessions than the server would admit."""

    admitted: int
    beyond_silence: list[Spread | None]
    """In equal parts of the time, one after the other: milliseconds."""
    ended_badly: int
    speech: SpeechFigures

    @property
    def holds(self) -> bool:
        return not self.ended_badly and all(
            spread is not None and spread.p95 <= 1000 * OVERLOAD_P95_SECONDS
            for spread in self.beyond_silence
        )

    def with_words(self, words: Words | None) -> Self:
        return replace(self, speech=self.speech.with_words(words))


async def measure_disturbed(
    server: BenchServer,
    clips: Sequence[Clip],
    *,
    model: str,
    sessions: int,
    seconds: float,
    without_cpu: float,
    duty: float,
) -> tuple[DisturbFigures, list[Judged]]:
    """So many sessions for so long, `without_cpu` seconds of which the server stands still."""
    if seconds < BEFORE_SECONDS + without_cpu + SETTLED_SECONDS:
        raise BenchError(
            f"That takes {BEFORE_SECONDS + without_cpu + SETTLED_SECONDS:g} seconds at least."
        )
    back = 0.0

    async def disturb() -> None:
        nonlocal back
        await asyncio.sleep(BEFORE_SECONDS)
        await server.take_cpu(without_cpu)
        back = time.monotonic()

    disturbing = asyncio.create_task(disturb())
    try:
        figures, judged = await measure_load(
            server, clips, model=model, sessions=sessions, seconds=seconds, duty=duty
        )
    finally:
        disturbing.cancel()
        await asyncio.wait([disturbing])
    after = [
        ending.after_words
        for each in judged
        for ending in each.endings
        if back and ending.at > back + SETTLED_SECONDS
    ]
    return (
        DisturbFigures(
            without_cpu_seconds=without_cpu,
            final_after=Spread.of(after),
            late_after=sum(late > ON_TIME_SECONDS for late in after),
            ended_badly=_ended_badly(figures),
            speech=figures,
        ),
        judged,
    )


async def measure_overload(
    server: BenchServer, clips: Sequence[Clip], *, model: str, seconds: float, duty: float
) -> tuple[OverloadFigures, list[Judged]]:
    """1.5 times the sessions that the server would admit."""
    if server.admits is None:
        raise BenchError(f"A server with the model {model} admits any number of sessions.")
    sessions = round(TIMES_ADMITTED * server.admits)
    began = time.monotonic()
    figures, judged = await measure_load(
        server, clips, model=model, sessions=sessions, seconds=seconds, duty=duty
    )
    part = (time.monotonic() - began) / _PARTS
    beyond: list[list[float]] = [[] for _ in range(_PARTS)]
    for each in judged:
        for ending in each.endings:
            at = min(int((ending.at - began) / part), _PARTS - 1)
            beyond[at].append(ending.beyond_silence)
    spreads = [Spread.of(late) for late in beyond]
    return OverloadFigures(server.admits, spreads, _ended_badly(figures), figures), judged


def _ended_badly(figures: SpeechFigures) -> int:
    """How many sessions did not begin, ended early or not well, or could not send."""
    late = ("a turn ended late", "the end came late")
    return sum(count for why, count in figures.missed.items() if why not in late)
