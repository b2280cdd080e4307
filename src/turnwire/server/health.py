"""What a server says of how it is, of all its processes together if it has several."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from turnwire import __version__
from turnwire.server.service import NO_ROOM, Service
from turnwire.server.siblings import total
from turnwire.speech.quality import FULL, LADDER

HEALTH, ROOM = "health", "room"
"""What processes of one server ask each other: how they are, and whether there is room."""

_RUNGS = [quality.name for quality in LADDER]

YES, NO = "yes", "no"


class Health:
    """Tells of one server."""

    def __init__(self, service: Service) -> None:
        self._service = service
        service.siblings.answer(HEALTH, self._answer_health)
        service.siblings.answer(ROOM, self._answer_room)

    async def view(self) -> dict[str, Any]:
        siblings = self._service.siblings
        if siblings.number is None:
            return self._own()
        answers = await siblings.ask(HEALTH)
        each = {number: json.loads(text) for number, text in answers.texts.items()}
        return _together(each | {siblings.number: self._own()})

    async def not_ready(self) -> str | None:
        """Why new sessions should go elsewhere; None if they may come."""
        reason = self._service.not_ready()
        if reason == NO_ROOM:
            answers = await self._service.siblings.ask(ROOM)
            if YES in answers.texts.values():
                return None
        return reason

    def _own(self) -> dict[str, Any]:
        service = self._service
        load = service.engine.load()
        return {
            "status": "ok",
            "version": __version__,
            "model": service.engine.name,
            "sessions": service.open_sessions,
            "max_sessions": service.session_limit,
            "quality": load.quality if load else FULL.name,
            "event_loop_lag_ms": round(1000 * service.lag.worst, 1),
            "held_audio_bytes": service.held_audio.held,
            "max_held_audio_bytes": service.held_audio.limit,
        }

    async def _answer_health(self, _: str) -> str:
        return json.dumps(self._own())

    async def _answer_room(self, _: str) -> str:
        return YES if self._service.not_ready() is None else NO


def _together(each: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """Of the whole server; `workers` says it of each process that answered."""
    healths = [each[number] for number in sorted(each)]
    whole = dict(healths[0])
    for name in ("sessions", "held_audio_bytes", "max_held_audio_bytes"):
        whole[name] = sum(health[name] for health in healths)
    whole["max_sessions"] = total(health["max_sessions"] for health in healths)
    whole["quality"] = worst(health["quality"] for health in healths)
    whole["event_loop_lag_ms"] = max(health["event_loop_lag_ms"] for health in healths)
    told = ("sessions", "max_sessions", "quality", "event_loop_lag_ms", "held_audio_bytes")
    whole["workers"] = [
        {"worker": number} | {name: each[number][name] for name in told} for number in sorted(each)
    ]
    return whole


def worst(qualities: Iterable[str]) -> str:
    return max(qualities, key=_RUNGS.index)
