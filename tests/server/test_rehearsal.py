"""Rehearsal: every client sees exactly what the menu promises."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvloop
import websockets
from assemblyai.streaming.v3 import (
    StreamingClient,
    StreamingClientOptions,
    StreamingError,
    StreamingEvents,
    StreamingParameters,
)
from websockets.asyncio.client import ClientConnection

from tests.support import PATIENCE, TERMINATE, ManualClock, Server, loud, quiet, serving
from turnwire.accounts.admission import OpenRegistry
from turnwire.rehearsal.menu import as_json
from turnwire.rehearsal.plan import BadPlan, parse
from turnwire.rehearsal.scenarios import MALFORMED, SCENARIOS, UNKNOWN_MESSAGE, Scenario
from turnwire.wire.closures import CLOSURES

# The official SDK imports from websockets what has another name there by now.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:assemblyai"),
    pytest.mark.filterwarnings("ignore:ConnectionClosed:DeprecationWarning"),
]

EVERY_SCENARIO = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    # Without a database, as a hundred tests make a server each.
    async with serving(rehearse=True, clock=ManualClock(), registry=OpenRegistry()) as server:
        yield server


@asynccontextmanager
async def time_passing(server: Server) -> AsyncIterator[None]:
    """A second of the server's clock goes by each time that it has nothing else to do."""

    async def pass_time() -> None:
        while True:
            assert isinstance(server.service.clock, ManualClock)
            server.service.clock.advance(1)
            await asyncio.sleep(0.001)

    passing = asyncio.create_task(pass_time())
    yield
    passing.cancel()
    await asyncio.wait([passing])


async def get(server: Server, path: str, accept: str = "*/*") -> httpx.Response:
    async with httpx.AsyncClient(base_url=server.url.replace("ws", "http", 1)) as http:
        return await http.get(path, headers={"Accept": accept})


def menu(server: Server) -> dict[str, dict[str, Any]]:
    """The entries by name."""
    return {entry["name"]: entry for entry in as_json(server.url)["rehearsals"]}


def rehearse(server: Server, rehearsal: str, query: str = "") -> websockets.connect:
    return server.connect(query, path=f"/rehearse/{rehearsal}/v3/ws")


async def frames_to_the_end(
    socket: ClientConnection, messages: Iterable[bytes | str] = ()
) -> list[str]:
    """Send all these; whatever text comes until the connection is over, within `PATIENCE`."""
    frames = []
    async with asyncio.timeout(PATIENCE):
        with suppress(websockets.ConnectionClosed):
            for message in messages:
                await socket.send(message)
        with suppress(websockets.ConnectionClosedError):
            async for frame in socket:
                assert isinstance(frame, str)
                frames.append(frame)
    return frames


def types(frames: Iterable[str]) -> list[str]:
    return [json.loads(frame)["type"] for frame in frames if frame != MALFORMED]


@EVERY_SCENARIO
async def test_websockets_sees_what_the_menu_promises(server: Server, scenario: Scenario) -> None:
    entry = menu(server)[scenario.name]
    promised = entry["ending"]
    connecting = websockets.connect(
        entry["url"],
        proxy=None,
        ping_interval=None,
    )
    async with time_passing(server):
        if promised["status"]:
            with pytest.raises(websockets.InvalidStatus) as refused:
                await connecting
            answer = refused.value.response
            assert answer.status_code == promised["status"]
            assert json.loads(answer.body or b"") == {"error": promised["error"]}
            return
        async with connecting as socket:
            frames = await frames_to_the_end(socket, [TERMINATE] if promised["terminate"] else [])
    if promised["error"]:
        assert json.loads(frames.pop()) == {
            "type": "Error",
            "error_code": promised["code"],
            "error": promised["error"],
        }
    if promised["code"]:
        assert (socket.close_code, socket.close_reason) == (promised["code"], promised["reason"])
    else:
        assert socket.protocol.close_rcvd is None
    before_begin = entry["when"] == "instead of Begin" or scenario.name == "no-begin"
    assert (types(frames)[:1] != ["Begin"]) is before_begin
    ended = promised["code"] == 1000 and scenario.name != "no-termination"
    assert (types(frames)[-1:] == ["Termination"]) is ended


@dataclass
class Story:
    """What the official SDK told its application."""

    events: list[str] = field(default_factory=list)
    errors: list[tuple[int | None, str]] = field(default_factory=list)


def talk_by_sdk(entry: dict[str, Any]) -> Story:
    story = Story()
    failed = threading.Event()

    def on_error(_: StreamingClient, error: StreamingError) -> None:
        story.errors.append((error.code, str(error)))
        failed.set()

    client = StreamingClient(StreamingClientOptions(api_key="any", api_host=entry["host"]))
    for event in (StreamingEvents.Begin, StreamingEvents.Termination):
        client.on(event, lambda _, event: story.events.append(event.type))
    client.on(StreamingEvents.Error, on_error)
    client.connect(StreamingParameters(sample_rate=16_000))  # type: ignore[call-arg]
    if entry["ending"]["status"] is None:
        if not entry["ending"]["terminate"] and entry["name"] != "session_ended":
            assert failed.wait(PATIENCE)
        client.disconnect(terminate=True)
    return story


@EVERY_SCENARIO
async def test_the_official_sdk_sees_what_the_menu_promises(
    server: Server, scenario: Scenario
) -> None:
    entry = menu(server)[scenario.name]
    promised = entry["ending"]
    async with time_passing(server):
        story = await asyncio.to_thread(talk_by_sdk, entry)
    if promised["status"]:
        status = promised["status"]
        assert story.errors == [(status, f"WebSocket handshake rejected (HTTP {status})")]
    elif promised["error"]:
        assert story.errors == [(promised["code"], promised["error"])]
    elif promised["code"] is None:
        assert story.errors == [(1006, "Connection closed (code=1006)")]
    else:
        assert story.errors == []
        left_out = {"no-begin": "Begin", "no-termination": "Termination"}.get(scenario.name)
        assert story.events == [e for e in ("Begin", "Termination") if e != left_out]


async def test_every_row_that_is_on_the_wire_is_on_the_menu(server: Server) -> None:
    listed = menu(server)
    for row in CLOSURES:
        assert (row.name in listed) is (row.code != 1006)


async def test_a_code_stands_for_the_first_row_that_has_it(server: Server) -> None:
    listed = menu(server)
    by_code = {entry["code"]: name for name, entry in listed.items() if entry["code"]}
    assert by_code[3006] == "invalid_message_type"
    assert listed["invalid_json"]["code"] is None
    async with rehearse(server, "3006") as socket:
        await frames_to_the_end(socket)
    assert socket.close_reason == listed["invalid_message_type"]["ending"]["reason"]


async def test_what_comes_before_is_a_real_session(server: Server) -> None:
    async with rehearse(server, "session_expired/after/2turns", "format_turns=true") as socket:
        speech = [loud(500), quiet(1000), quiet(1000), loud(250), quiet(1000), quiet(1000)]
        frames = [json.loads(frame) for frame in await frames_to_the_end(socket, speech)]
    ends = [frame for frame in frames if frame.get("end_of_turn")]
    assert [(end["turn_order"], end["transcript"]) for end in ends if end["turn_is_formatted"]] == [
        (0, "one two"),
        (1, "three"),
    ]
    assert len(ends) == 4
    assert frames[-1]["error_code"] == socket.close_code == 3008


async def test_a_turn_that_ends_in_two_messages_counts_once(server: Server) -> None:
    async with rehearse(server, "invalid_message/after/1turns", "format_turns=true") as socket:
        speech = [loud(500), quiet(1000), quiet(1000), loud(250), quiet(1000), quiet(1000)]
        frames = await frames_to_the_end(socket, speech)
    ends = [json.loads(frame) for frame in frames if '"end_of_turn":true' in frame]
    assert [(end["turn_order"], end["turn_is_formatted"]) for end in ends] == [
        (0, False),
        (0, True),
    ]
    assert socket.close_code == 3006


async def test_frames_are_counted(server: Server) -> None:
    async with rehearse(server, "invalid_json/after/3frames") as socket:
        await socket.recv()
        for said in ("one", "two"):
            await socket.send(loud(250))
            assert json.loads(await socket.recv())["words"][-1]["text"] == said
        frames = await frames_to_the_end(socket, [loud(250)])
    assert types(frames)[-1] == "Error"
    assert socket.close_code == 3006


async def test_seconds_are_counted_from_begin(server: Server) -> None:
    assert isinstance(server.service.clock, ManualClock)
    async with rehearse(server, "server_stopping/after/5s") as socket:
        await socket.recv()
        server.service.clock.advance(4.9)
        await socket.send(loud(250))
        assert json.loads(await socket.recv())["type"] == "Turn"
        server.service.clock.advance(0.1)
        frames = await frames_to_the_end(socket)
    # The open turn is delivered.
    assert types(frames) == ["Turn", "Error"]
    assert socket.close_code == 3005


async def test_a_closure_for_what_a_client_did_does_not_wait_for_the_last_words(
    server: Server,
) -> None:
    async with rehearse(server, "input_duration/after/1frames") as socket:
        frames = await frames_to_the_end(socket, [loud(500)])
    assert '"end_of_turn":true' not in "".join(frames)
    assert socket.close_code == 3007


@pytest.mark.parametrize("row", [row.name for row in CLOSURES if row.phase == "any"])
async def test_what_can_happen_at_any_time_can_happen_before_begin(
    server: Server, row: str
) -> None:
    if row == "client_gone":
        return
    async with rehearse(server, f"{row}/before-begin") as socket:
        assert types(await frames_to_the_end(socket)) == ["Error"]


async def test_a_session_that_ends_before_its_scenario_ends_as_ever(server: Server) -> None:
    async with rehearse(server, "reset/after/5s") as socket:
        frames = await frames_to_the_end(socket, [loud(250), TERMINATE])
    assert types(frames)[-1] == "Termination"
    assert socket.close_code == 1000


async def test_a_session_that_is_refused_is_refused_as_ever() -> None:
    async with (
        serving(rehearse=True) as server,
        server.connect(path="/rehearse/3008/v3/ws", key="nobody") as socket,
    ):
        frames = await frames_to_the_end(socket)
    assert types(frames) == ["Error"]
    assert socket.close_code == 1008


async def test_a_session_is_over_when_its_rehearsed_close_is_seen(server: Server) -> None:
    async with rehearse(server, "invalid_json") as socket:
        await frames_to_the_end(socket)
        assert server.service.open_connections == 0


async def test_a_reset_is_one() -> None:
    async with serving(rehearse=True) as server:
        await see_a_reset(server)


def test_a_reset_is_one_with_uvloop() -> None:
    async def see() -> None:
        async with serving(rehearse=True) as server:
            await see_a_reset(server)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(see())


async def see_a_reset(server: Server) -> None:
    async with rehearse(server, "reset") as socket:
        with pytest.raises(websockets.ConnectionClosedError) as lost:
            while True:
                await socket.recv()
    assert isinstance(lost.value.__cause__, ConnectionResetError)


async def test_who_vanished_answers_no_ping_but_keeps_the_connection(server: Server) -> None:
    assert isinstance(server.service.clock, ManualClock)
    async with rehearse(server, "vanish") as socket:
        await socket.recv()
        while server.service.open_connections:
            await asyncio.sleep(0)
        answered = asyncio.ensure_future(await socket.ping())
        await socket.send(loud(250))
        await asyncio.wait([answered], timeout=0.05)
        assert not answered.done()
        assert socket.protocol.close_expected() is False
        server.service.clock.advance(300)
        with pytest.raises(websockets.ConnectionClosedError):
            await answered
    assert socket.close_code == 1006


async def test_a_server_can_stop_though_a_connection_vanished() -> None:
    async with serving(rehearse=True) as server:
        socket = await rehearse(server, "vanish", "")
        await socket.recv()
        while server.service.open_connections:
            await asyncio.sleep(0)
    await socket.wait_closed()


async def test_while_stalled_nothing_is_read_and_then_the_session_goes_on(server: Server) -> None:
    assert isinstance(server.service.clock, ManualClock)
    async with rehearse(server, "stall/2s/after/1frames") as socket:
        await socket.recv()
        await socket.send(loud(250))
        assert json.loads(await socket.recv())["words"][-1]["text"] == "one"
        answered = asyncio.ensure_future(await socket.ping())
        await socket.send(loud(250))
        await asyncio.wait([answered], timeout=0.05)
        assert not answered.done()
        server.service.clock.advance(2)
        await answered
        assert json.loads(await socket.recv())["words"][-1]["text"] == "two"


async def test_begin_comes_late_and_everything_after_it(server: Server) -> None:
    assert isinstance(server.service.clock, ManualClock)
    async with rehearse(server, "slow-begin/3s") as socket:
        await socket.send(loud(250))
        reading = asyncio.create_task(frames_to_the_end(socket, [TERMINATE]))
        await asyncio.wait([reading], timeout=0.05)
        server.service.clock.advance(3)
        assert types(await reading)[0] == "Begin"


@pytest.mark.parametrize(
    ("fault", "text"), [("malformed", MALFORMED), ("unknown-message", UNKNOWN_MESSAGE)]
)
async def test_a_strange_message_comes_where_it_was_asked_for(
    server: Server, fault: str, text: str
) -> None:
    for when, place in (("", 1), ("/before-begin", 0)):
        async with rehearse(server, f"{fault}{when}") as socket:
            frames = await frames_to_the_end(socket, [TERMINATE])
        assert frames[place] == text
        assert types(frames)[0 if place else -1] in ("Begin", "Termination")


@pytest.mark.parametrize("status", [401, 503])
async def test_a_handshake_fails_with_the_status_asked_for(
    server: Server, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        await rehearse(server, f"handshake/{status}")
    assert refused.value.response.status_code == status
    assert "ERROR" not in caplog.text


async def test_a_sequence_has_a_scenario_for_each_connection_and_a_name_starts_anew(
    server: Server,
) -> None:
    async def codes(rehearsal: str) -> list[int | None]:
        seen = []
        for _ in range(4):
            async with rehearse(server, rehearsal) as socket:
                await frames_to_the_end(socket, [TERMINATE])
            seen.append(socket.close_code)
        return seen

    assert await codes("sequence/3009,3007,ok") == [3009, 3007, 1000, 1000]
    assert await codes("sequence/3009,3007,ok") == [1000] * 4
    assert await codes("sequence/3009,3007,ok/as/another") == [3009, 3007, 1000, 1000]


BAD_PLANS = [
    ("nothing", "There is no 'nothing'"),
    ("4000", "There is no '4000'"),
    ("client_gone", "There is no 'client_gone'"),
    ("reset/after", "'v3' is not like"),
    ("reset/after/soon", "not like"),
    ("reset/after/5m", "not like"),
    ("reset/after/0turns", "whole number"),
    ("reset/after/1.5frames", "whole number"),
    ("ok/after/5s", "cannot happen"),
    ("1013/after/5s", "cannot happen"),
    ("3008/before-begin", "cannot happen"),
    ("stall/5", "not like"),
    ("stall/601s", "not between"),
    ("handshake/200", "not between"),
    ("sequence", "There is no 'v3'"),
    ("sequence/3008,,ok", "There is no ''"),
]


@pytest.mark.parametrize(("rehearsal", "why"), BAD_PLANS)
def test_a_bad_plan_is_told_from_a_good_one(rehearsal: str, why: str) -> None:
    with pytest.raises(BadPlan, match=why):
        parse(f"/rehearse/{rehearsal}/v3/ws")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/rehearse", "Which"),
        ("/rehearse/nothing/v3/ws", "There is no 'nothing'"),
        ("/rehearse/reset/aftr/5s/v3/ws", "'/aftr/5s/v3/ws' is no part of a rehearsal"),
        ("/rehearse/sequence/ok/after/5s/v3/ws", "'/after/5s/v3/ws' is no part of a rehearsal"),
    ],
)
async def test_what_cannot_be_rehearsed_is_not_found_and_points_to_the_menu(
    server: Server, path: str, why: str
) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        await server.connect(path=path)
    assert refused.value.response.status_code == 404
    error = json.loads(refused.value.response.body or b"")["error"]
    assert why in error
    assert "GET /rehearse " in error


async def test_rehearsal_is_off_unless_asked_for() -> None:
    async with serving() as server:
        response = await get(server, "/rehearse")
        with pytest.raises(websockets.InvalidStatus) as refused:
            await rehearse(server, "3008")
    assert response.status_code == refused.value.response.status_code == 404
    assert "turnwire serve --rehearse" in response.json()["error"]


async def test_what_is_no_session_is_served_below_a_rehearsal_too(server: Server) -> None:
    assert (await get(server, "/rehearse/3008/health")).json()["status"] == "ok"
    assert (await get(server, "/rehearse/nothing/health")).status_code == 404


async def test_the_menu_is_json_for_programs(server: Server) -> None:
    assert (await get(server, "/rehearse")).json() == as_json(server.url)


async def test_the_menu_is_a_page_for_browsers(server: Server) -> None:
    page = await get(server, "/rehearse/", accept="text/html,application/xhtml+xml")
    assert page.headers["content-type"].startswith("text/html")
    for entry in menu(server).values():
        assert f">{entry['url']}<" in page.text
