"""What a server says of how it is, of all its processes together if it has several."""

from typing import Any

from turnwire import __version__
from turnwire.server.figures import AS_JSON, ProcessFigures, add_up, figures_of
from turnwire.server.service import NO_ROOM, Service

HEALTH, ROOM = "health", "room"
"""What processes of one server ask each other: how they are, and whether there is room."""

YES, NO = "yes", "no"

_OF_EACH = ("sessions", "max_sessions", "quality", "event_loop_lag_ms", "held_audio_bytes")
_OF_ALL = ("model", *_OF_EACH, "max_held_audio_bytes")


class Health:
    """Tells of one server."""

    def __init__(self, service: Service) -> None:
        self._service = service
        service.siblings.answer(HEALTH, self._answer_health)
        service.siblings.answer(ROOM, self._answer_room)

    async def view(self) -> dict[str, Any]:
        """Of the whole server; `workers` says it of each process that answered, if it has some."""
        siblings = self._service.siblings
        own = figures_of(self._service)
        if siblings.number is None:
            return _whole(own)
        answers = await siblings.ask(HEALTH)
        each = {number: AS_JSON.validate_json(text) for number, text in answers.texts.items()}
        each = dict(sorted({**each, siblings.number: own}.items()))
        workers = [
            {"worker": number} | _chosen(figures, _OF_EACH) for number, figures in each.items()
        ]
        return _whole(add_up(list(each.values()))) | {"workers": workers}

    async def not_ready(self) -> str | None:
        """Why new sessions should go elsewhere; None if they may come."""
        reason = self._service.not_ready()
        if reason == NO_ROOM:
            answers = await self._service.siblings.ask(ROOM)
            if YES in answers.texts.values():
                return None
        return reason

    async def _answer_health(self, _: str) -> str:
        return AS_JSON.dump_json(figures_of(self._service)).decode()

    async def _answer_room(self, _: str) -> str:
        return YES if self._service.not_ready() is None else NO


def _whole(figures: ProcessFigures) -> dict[str, Any]:
    return {"status": "ok", "version": __version__} | _chosen(figures, _OF_ALL)


def _chosen(figures: ProcessFigures, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(figures, name) for name in names}
