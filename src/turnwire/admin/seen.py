"""What the console shows of a running server: its engine, and the sessions that are open.

Of a server that has several processes it is that of all of them together.
"""

from collections import Counter
from collections.abc import Sequence

from turnwire.admin import views
from turnwire.admin.live import LiveSessions
from turnwire.admin.node import Node
from turnwire.server.health import worst
from turnwire.server.siblings import Siblings, total

SEEN = "seen"
"""The question by which the processes of one server ask each other for their parts."""


class Part(views.View):
    """What one process has to show."""

    process: str
    engine: views.Engine
    live: views.Live


class Seen:
    """Tells of one server."""

    def __init__(self, live: LiveSessions, node: Node, siblings: Siblings) -> None:
        self._live = live
        self._node = node
        self._siblings = siblings
        siblings.answer(SEEN, self._tell)

    async def parts(self) -> list[Part]:
        """This process comes first."""
        answers = await self._siblings.ask(SEEN)
        return [self._own(), *map(Part.model_validate_json, answers.texts.values())]

    async def live(self) -> views.Live:
        return live_of(await self.parts())

    async def engine(self) -> views.Engine:
        return engine_of(await self.parts())

    async def nodes(self, parts: Sequence[Part]) -> views.Nodes:
        """Of which these are here."""
        return await self._node.nodes({part.process for part in parts})

    def _own(self) -> Part:
        return Part(process=self._node.process, engine=self._node.engine(), live=self._live.view())

    async def _tell(self, _: str) -> str:
        return self._own().model_dump_json()


def live_of(parts: Sequence[Part]) -> views.Live:
    """All their sessions, in the order they began."""
    items = [session for part in parts for session in part.live.items]
    return views.Live(items=sorted(items, key=lambda session: session.begun_at))


def engine_of(parts: Sequence[Part]) -> views.Engine:
    """All their engines as one."""
    engines = [part.engine for part in parts]
    if len(engines) == 1:
        return engines[0]
    batches: Counter[int] = Counter()
    for engine in engines:
        batches.update(engine.batches)
    return engines[0].model_copy(
        update={
            "quality": worst(engine.quality for engine in engines),
            "waiting_seconds": max(engine.waiting_seconds for engine in engines),
            "waiting_final": sum(engine.waiting_final for engine in engines),
            "waiting_partial": sum(engine.waiting_partial for engine in engines),
            "batches": dict(batches),
            "threads": total(engine.threads for engine in engines),
            "sessions": sum(engine.sessions for engine in engines),
            "max_sessions": total(engine.max_sessions for engine in engines),
            "event_loop_lag_ms": max(engine.event_loop_lag_ms for engine in engines),
            "held_audio_bytes": sum(engine.held_audio_bytes for engine in engines),
            "max_held_audio_bytes": sum(engine.max_held_audio_bytes for engine in engines),
            "draining": any(engine.draining for engine in engines),
        }
    )
