"""What rooms above the server add to it: endpoints, observers, work alongside."""

import asyncio
import logging
from collections.abc import Sequence

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from tests.support import PATIENCE, serving
from turnwire.server.extensions import Extension
from turnwire.server.observers import Observer, WatchedSession
from turnwire.server.service import Service
from turnwire.session import effects, events
from turnwire.transport import listener

TERMINATE = '{"type": "Terminate"}'


class Diary(Extension):
    """Writes down all that it is told."""

    def __init__(self, service: Service) -> None:
        self.closures: list[str] = []
        self.accounts: set[str | None] = set()
        self.running = asyncio.Event()
        self.finished = False

    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/diary", lambda request: PlainTextResponse("Dear diary"))]

    def watch(self, session: WatchedSession) -> Observer:
        return Page(self, session)

    async def run(self) -> None:
        self.running.set()
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        self.finished = True


class Page:
    def __init__(self, diary: Diary, session: WatchedSession) -> None:
        self._diary = diary
        self._session = session

    def observe(self, event: events.Event, decided: Sequence[effects.Effect], now: float) -> None:
        for effect in decided:
            if isinstance(effect, effects.Close):
                self._diary.closures.append(effect.closure.row.name)
                grant = self._session.grant
                self._diary.accounts.add(grant.account if grant else None)


class Broken(Extension):
    """Fails wherever it can."""

    def __init__(self, service: Service) -> None:
        self.times = 0

    def watch(self, session: WatchedSession) -> Observer:
        return self

    def observe(self, event: events.Event, decided: Sequence[effects.Effect], now: float) -> None:
        self.times += 1
        raise RuntimeError("observing failed")

    async def run(self) -> None:
        raise RuntimeError("running failed")

    async def aclose(self) -> None:
        raise RuntimeError("closing failed")


class LastWord(Extension):
    """Answers when the server stops, as a stream of events does."""

    def __init__(self, service: Service) -> None:
        self._stopping = service.stopping
        self.asked = asyncio.Event()

    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/last", self._answer)]

    async def _answer(self, _: Request) -> PlainTextResponse:
        self.asked.set()
        await self._stopping.wait()
        return PlainTextResponse("That was all")


async def test_a_server_that_stops_waits_for_no_request_after_the_last_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener, "FAREWELL_SECONDS", 3600.0)
    async with asyncio.timeout(PATIENCE):
        async with serving(extend=[LastWord]) as server:
            [last] = server.service.extensions
            assert isinstance(last, LastWord)
            http = server.http()
            asking = asyncio.create_task(http.get("/last"))
            await last.asked.wait()
        assert (await asking).text == "That was all"
        await http.aclose()


async def test_an_extension_sees_each_end_once_and_has_endpoints() -> None:
    async with serving(extend=[Diary]) as server:
        [diary] = server.service.extensions
        assert isinstance(diary, Diary)
        await diary.running.wait()
        async with server.http() as http:
            assert (await http.get("/diary")).text == "Dear diary"
        conversation = await server.converse("sample_rate=16000", [TERMINATE])
        assert conversation.code == 1000
        await server.converse("sample_rate=1")
        assert not diary.finished
    assert diary.closures == ["session_ended", "invalid_parameter"]
    assert diary.accounts == {"default", None}
    assert diary.finished


async def test_an_extension_that_fails_ends_no_session(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        async with serving(extend=[Broken, Diary]) as server:
            broken, diary = server.service.extensions
            assert isinstance(broken, Broken)
            assert isinstance(diary, Diary)
            assert (await server.converse("sample_rate=16000", [TERMINATE])).code == 1000
            assert broken.times == 1, "one that failed is asked no more"
    assert diary.closures == ["session_ended"]
    assert diary.finished
    assert [record.getMessage() for record in caplog.records] == [
        "Broken failed; the server goes on without it",
        "Broken failed, and watches no longer",
        "Broken could not finish its work",
    ]
