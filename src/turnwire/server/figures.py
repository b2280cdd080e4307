"""How one process of a server is, in figures, and those of several added up."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from turnwire.server.service import Service
from turnwire.server.siblings import total
from turnwire.speech.quality import FULL, LADDER

_RUNGS = [quality.name for quality in LADDER]


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """What `/health`, the console and the other nodes are told."""

    model: str
    quality: str
    waiting_seconds: float
    waiting_final: int
    waiting_partial: int
    batches: Mapping[int, int]
    threads: int | None
    sessions: int
    max_sessions: int | None
    event_loop_lag_ms: float
    held_audio_bytes: int
    max_held_audio_bytes: int
    draining: bool


AS_JSON = TypeAdapter(ProcessFigures)


def figures_of(service: Service) -> ProcessFigures:
    """Those of this process."""
    load = service.engine.load()
    return ProcessFigures(
        model=service.engine.name,
        quality=load.quality if load else FULL.name,
        waiting_seconds=load.behind if load else 0.0,
        waiting_final=load.waiting_finals if load else 0,
        waiting_partial=load.waiting_partials if load else 0,
        batches=load.batches if load else {},
        threads=load.threads if load else None,
        sessions=service.open_sessions,
        max_sessions=service.session_limit,
        event_loop_lag_ms=round(1000 * service.lag.worst, 1),
        held_audio_bytes=service.held_audio.held,
        max_held_audio_bytes=service.held_audio.limit,
        draining=service.draining,
    )


def add_up(each: Sequence[ProcessFigures]) -> ProcessFigures:
    """Those of the whole server: sums, and the worst of what can be bad."""
    batches: Counter[int] = Counter()
    for one in each:
        batches.update(one.batches)
    return ProcessFigures(
        model=each[0].model,
        quality=max((one.quality for one in each), key=_RUNGS.index),
        waiting_seconds=max(one.waiting_seconds for one in each),
        waiting_final=sum(one.waiting_final for one in each),
        waiting_partial=sum(one.waiting_partial for one in each),
        batches=dict(batches),
        threads=total(one.threads for one in each),
        sessions=sum(one.sessions for one in each),
        max_sessions=total(one.max_sessions for one in each),
        event_loop_lag_ms=max(one.event_loop_lag_ms for one in each),
        held_audio_bytes=sum(one.held_audio_bytes for one in each),
        max_held_audio_bytes=sum(one.max_held_audio_bytes for one in each),
        draining=any(one.draining for one in each),
    )
