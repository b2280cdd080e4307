"""What the console shows of a running server: its engine, and the sessions that are open.

Of a server that has several processes it is that of all of them together.
"""

from collections.abc import Sequence
from dataclasses import asdict

from turnwire.admin import views
from turnwire.admin.live import LiveSessions
from turnwire.admin.node import Node
from turnwire.server.figures import ProcessFigures, add_up, figures_of
from turnwire.server.service import Service

SEEN = "seen"
"""The question by which the processes of one server ask each other for their parts."""


class Part(views.View):
    """What one process has to show."""

    process: str
    figures: ProcessFigures
    live: views.Live


class Seen:
    """Tells of one server."""

    def __init__(self, live: LiveSessions, node: Node, service: Service) -> None:
        self._live = live
        self._node = node
        self._service = service
        service.siblings.answer(SEEN, self._tell)

    async def parts(self) -> list[Part]:
        """This process comes first."""
        answers = await self._service.siblings.ask(SEEN)
        return [self._own(), *map(Part.model_validate_json, answers.texts.values())]

    def live(self, parts: Sequence[Part]) -> views.Live:
        """All their sessions, in the order they began."""
        items = [session for part in parts for session in part.live.items]
        return views.Live(items=sorted(items, key=lambda session: session.begun_at))

    def engine(self, parts: Sequence[Part]) -> views.Engine:
        """All their engines as one."""
        figures = add_up([part.figures for part in parts])
        return views.Engine(at=self._service.clock.unix_time(), **asdict(figures))

    async def nodes(self, parts: Sequence[Part]) -> views.Nodes:
        """Of which these are here."""
        return await self._node.nodes({part.process for part in parts})

    def _own(self) -> Part:
        figures = figures_of(self._service)
        return Part(process=self._node.process, figures=figures, live=self._live.view())

    async def _tell(self, _: str) -> str:
        return self._own().model_dump_json()
