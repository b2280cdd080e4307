"""Sessions over real sockets, with an engine that needs no model."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from tests.support import (
    PATIENCE,
    TERMINATE,
    Conversation,
    ManualClock,
    Server,
    chunks,
    converse,
    loud,
    quiet,
    serving,
)
from turnwire.accounts.admission import Funds, Grant, OpenRegistry, Renewal, Usage, allow
from turnwire.recognition import Partial, RecognitionOptions, SpeechEvent, Word
from turnwire.server.app import HEALTH_PATHS
from turnwire.server.port import AddressUnusable
from turnwire.server.running import running
from turnwire.server.site import SOCKET_PATHS
from turnwire.speech.echo import EchoEngine, EchoStream
from turnwire.speech.engine import Samples


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


async def test_speech_becomes_turns_and_terminate_ends_the_session(server: Server) -> None:
    audio = loud(750) + quiet(1500) + loud(500)
    said = await server.converse("sample_rate=16000", [*chunks(audio), TERMINATE])
    assert said.types[0] == "Begin"
    assert [turn["transcript"] for turn in said.ends_of_turn] == ["one two three", "four five"]
    assert [turn["turn_order"] for turn in said.ends_of_turn] == [0, 1]
    assert said.messages[-1] == {
        "type": "Termination",
        "audio_duration_seconds": 3,
        "session_duration_seconds": said.messages[-1]["session_duration_seconds"],
    }
    assert (said.code, said.reason) == (1000, "Session Ended")


async def test_words_are_timed_on_the_clock_of_the_audio(server: Server) -> None:
    said = await server.converse("", [*chunks(quiet(1000) + loud(500)), TERMINATE])
    [end] = said.ends_of_turn
    assert [(word["start"], word["end"]) for word in end["words"]] == [(1000, 1250), (1250, 1500)]


async def test_the_sample_rate_and_encoding_of_the_client_count(server: Server) -> None:
    # 0x80 is the loudest sample there is in mu-law: 500 ms of it at 8 kHz.
    said = await server.converse("sample_rate=8000&encoding=pcm_mulaw", [b"\x80" * 4000, TERMINATE])
    assert said.transcript == "one two"


async def test_force_endpoint_ends_the_turn_where_it_came(server: Server) -> None:
    force = json.dumps({"type": "ForceEndpoint"})
    said = await server.converse("", [loud(500), force, loud(250), TERMINATE])
    assert [turn["transcript"] for turn in said.ends_of_turn] == ["one two", "three"]


async def test_a_turn_that_is_forced_to_end_is_formatted_too_if_that_was_asked(
    server: Server,
) -> None:
    # Booleans as Python writes them, and a message whose type comes last, as pydantic does.
    force = '{"max_turn_silence": 900, "type": "UpdateConfiguration"}', '{"type": "ForceEndpoint"}'
    said = await server.converse("format_turns=True", [loud(500), *force, loud(250), TERMINATE])
    assert [(turn["turn_order"], turn["turn_is_formatted"]) for turn in said.ends_of_turn] == [
        (0, False),
        (0, True),
        (1, False),
        (1, True),
    ]


async def test_a_universal_3_session_as_voice_agents_open_it(server: Server) -> None:
    query = (
        "sample_rate=16000&encoding=pcm_s16le&speech_model=universal-3-6-pro&format_turns=true"
        "&min_turn_silence=100&max_turn_silence=100&continuous_partials=true"
        "&language_detection=true&formatted_finals=true"
    )
    said = await server.converse(query, [*chunks(loud(500) + quiet(300) + loud(250)), TERMINATE])
    assert said.messages[0]["configuration"]["mode"] == "balanced"
    turns = [["SpeechStarted", "Turn", "Turn", "Turn"], ["SpeechStarted", "Turn", "Turn"]]
    assert said.types == ["Begin", *turns[0], *turns[1], "Termination"]
    assert said.messages[1] == {"type": "SpeechStarted", "timestamp": 0, "confidence": 1.0}
    assert [turn["transcript"] for turn in said.ends_of_turn] == ["one two", "three"]
    assert [turn["utterance"] for turn in said.ends_of_turn] == ["one two", "three"]
    assert all(turn["turn_is_formatted"] for turn in said.ends_of_turn)
    assert {turn["language_code"] for turn in said.ends_of_turn} == {"en"}


async def test_force_endpoint_with_nothing_said_is_not_answered(server: Server) -> None:
    force = json.dumps({"type": "ForceEndpoint"})
    said = await server.converse("", [quiet(500), force, TERMINATE])
    assert said.types == ["Begin", "Termination"]


@pytest.mark.parametrize("path", SOCKET_PATHS)
async def test_all_paths_of_clients_lead_to_a_session(server: Server, path: str) -> None:
    async with server.connect(path=path) as socket:
        said = await converse(socket, [TERMINATE])
    assert said.types == ["Begin", "Termination"]


NOT_A_SESSION = [
    pytest.param(
        "", [], None, 1008, "Unauthorized Connection: Missing Authorization header", id="no-key"
    ),
    pytest.param(
        "", [], " ", 1008, "Unauthorized Connection: Missing Authorization header", id="empty-key"
    ),
    pytest.param(
        "", [], "nobody", 1008, "Unauthorized Connection: Invalid API key", id="not-a-key"
    ),
    pytest.param(
        "token=nobody", [], "", 1008, "Unauthorized Connection: Invalid API key", id="not-a-token"
    ),
    pytest.param(
        "sample_rate=4000",
        [],
        "",
        3006,
        "User Input Validation Error: Invalid 'sample_rate': "
        "Value error, sample_rate must be at least 8,000 Hz",
        id="wrong-parameter",
    ),
]

BROKEN_RULES = [
    pytest.param(["{not json"], 3006, "Invalid JSON: {not json", id="not-json"),
    pytest.param(["[]"], 3006, "Invalid Message: []", id="array"),
    pytest.param(['{"type":"Bogus"}'], 3006, "Invalid Message Type: Bogus", id="unknown-type"),
    pytest.param(
        [quiet(1200)],
        3007,
        "Input duration violation: 1200.0 ms. Expected between 50 and 1000 ms",
        id="chunk-too-long",
    ),
    pytest.param(
        [quiet(20)] * 50,
        3007,
        "Input duration violation: 20.0 ms. Expected between 50 and 1000 ms",
        id="chunks-too-short",
    ),
]


def assert_refused(said: Conversation, code: int, text: str) -> None:
    assert said.messages[-1] == {"type": "Error", "error_code": code, "error": text}
    assert said.code == code
    assert said.reason == (text if len(text) <= 123 else "See Error message for details")


@pytest.mark.parametrize(("query", "messages", "key", "code", "text"), NOT_A_SESSION)
async def test_who_may_not_begin_is_told_why_in_band(
    server: Server, query: str, messages: list[str], key: str | None, code: int, text: str
) -> None:
    said = await server.converse(query, messages, key=key)
    assert said.types == ["Error"]
    assert_refused(said, code, text)
    assert (await server.converse("", [TERMINATE])).code == 1000


@pytest.mark.parametrize(("messages", "code", "text"), BROKEN_RULES)
async def test_who_breaks_a_rule_is_told_which_and_the_next_session_is_served(
    server: Server, messages: list[bytes | str], code: int, text: str
) -> None:
    said = await server.converse("", messages)
    assert said.types == ["Begin", "Error"]
    assert_refused(said, code, text)
    assert (await server.converse("", [TERMINATE])).code == 1000


async def test_a_message_over_128_kib_is_too_large(server: Server) -> None:
    said = await server.converse("", [bytes(128 * 1024 + 1)])
    assert said.code == 1009


@pytest.mark.parametrize("scheme", ["", "Bearer ", "bearer "])
async def test_a_key_is_taken_with_or_without_a_scheme(server: Server, scheme: str) -> None:
    said = await server.converse("", [TERMINATE], key=f"{scheme}{server.key}")
    assert said.code == 1000


async def test_without_authentication_anybody_is_let_in() -> None:
    async with serving(registry=OpenRegistry()) as server:
        assert (await server.converse("", [TERMINATE], key=None)).code == 1000


async def test_a_failure_while_establishing_is_1011() -> None:
    class Broken(OpenRegistry):
        async def begin(
            self, session: str, credential: str | None, *, check: Callable[[], None] = allow
        ) -> Grant:
            raise RuntimeError("the store is down")

    async with serving(registry=Broken()) as server:
        assert_refused(await server.converse(), 1011, "Internal error")


class WaveringRegistry(OpenRegistry):
    """Renews only every third time."""

    def __init__(self) -> None:
        self.renewals: asyncio.Queue[dict[str, Usage]] = asyncio.Queue()
        self._count = 0

    async def renew(self, usages: Mapping[str, Usage]) -> Mapping[str, Renewal]:
        self._count += 1
        self.renewals.put_nowait(dict(usages))
        if self._count % 3:
            raise OSError("the database is gone")
        return {}


async def test_sessions_outlive_renewals_that_fail_for_less_than_a_lease() -> None:
    clock, registry = ManualClock(), WaveringRegistry()
    async with (
        serving(clock=clock, registry=registry) as server,
        server.connect() as one,
        server.connect() as other,
    ):
        ids = {json.loads(await socket.recv())["id"] for socket in (one, other)}
        for seconds in (5, 10, 15, 20, 25):
            clock.advance(5)
            used = await registry.renewals.get()
            assert used == dict.fromkeys(ids, Usage(0, 1000 * seconds))
        assert (await converse(one, [TERMINATE])).code == 1000
        assert (await converse(other, [TERMINATE])).code == 1000


class PoorRegistry(OpenRegistry):
    """Lets a session have a second of audio, and knows nothing of what is left."""

    def __init__(self) -> None:
        self.renewals: asyncio.Queue[list[Usage]] = asyncio.Queue()

    async def begin(
        self, session: str, credential: str | None, *, check: Callable[[], None] = allow
    ) -> Grant:
        return Grant(funds=Funds(until_ms=1000, seconds_left=3600.0))

    async def renew(self, usages: Mapping[str, Usage]) -> Mapping[str, Renewal]:
        self.renewals.put_nowait(list(usages.values()))
        raise OSError("the database is gone")


async def test_without_the_ledger_a_recording_is_heard_as_fast_as_it_was_spoken() -> None:
    clock, registry = ManualClock(), PoorRegistry()
    async with (
        serving(clock=clock, registry=registry) as server,
        server.connect("recording=true") as socket,
        server.http() as http,
    ):
        for _ in range(5):
            await socket.send(quiet(1000))
        for second in range(5):
            assert await registry.renewals.get() == [Usage(1000 * second + 1000, 1000 * second)]
            for _ in range(3):
                await http.get("/health")
            assert registry.renewals.empty()
            clock.advance(1)
        assert (await converse(socket, [TERMINATE])).code == 1000


async def test_no_secret_and_nothing_said_is_logged(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="turnwire")
    caplog.set_level(logging.INFO, logger="uvicorn")
    await server.converse("token=t0ps3cret&prompt=privately", [TERMINATE])
    await server.converse("", [*chunks(loud(500)), '{"confidential": 1'])
    assert "closure=invalid_json code=3006" in caplog.text
    for secret in ("t0ps3cret", "privately", server.key, "one", "confidential"):
        assert secret not in caplog.text.replace("connection", "")


@pytest.mark.parametrize("path", HEALTH_PATHS)
async def test_health_says_what_is_running(server: Server, path: str) -> None:
    async with server.http() as http:
        response = await http.get(path)
        async with server.connect() as socket:
            await socket.recv()
            open_sessions = (await http.get(path)).json()["sessions"]
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.json()["model"] == "echo"
    assert open_sessions == 1


@pytest.mark.parametrize("path", SOCKET_PATHS)
async def test_a_browser_that_opens_the_endpoint_is_told_what_it_is(
    server: Server, path: str
) -> None:
    async with server.http() as http:
        response = await http.get(path)
    assert response.status_code == 426
    assert "WebSocket" in response.json()["error"]


async def test_a_session_ends_after_three_hours() -> None:
    clock = ManualClock()
    async with serving(clock=clock) as server, server.connect() as socket:
        begin = json.loads(await socket.recv())
        assert begin["expires_at"] == 1_800_000_000 + 3 * 60 * 60
        await socket.send(loud(500))
        await socket.recv()
        clock.advance(3 * 60 * 60)
        said = await converse(socket)
    assert said.types[-1] == "Error"
    assert said.transcript == "one two"
    assert_refused(said, 3008, "Session Expired: Maximum session duration exceeded")


async def test_a_heartbeat_comes_every_five_seconds_to_who_asked() -> None:
    clock = ManualClock()
    query = "session_heartbeat=true&acknowledge_silence=true"
    async with serving(clock=clock) as server, server.connect(query) as socket:
        await socket.recv()
        await socket.send(loud(500))
        await socket.recv()
        clock.advance(5)
        while (beat := json.loads(await socket.recv()))["type"] != "Heartbeat":
            pass
        said = await converse(socket, [quiet(1000), quiet(1000), TERMINATE])
    assert beat == {
        "total_audio_received_ms": 500,
        "total_duration_ms": 5000,
        "realtime_factor": 0.1,
        "max_speech_probability": 1.0,
        "type": "Heartbeat",
    }
    assert {"start_ms": 500, "end_ms": 1500, "type": "Silence"} in said.messages


async def test_an_inactive_session_ends_when_it_said_it_would() -> None:
    clock = ManualClock()
    async with serving(clock=clock) as server, server.connect("inactivity_timeout=5") as socket:
        await socket.recv()
        clock.advance(4.9)
        # The answer proves that the audio has arrived.
        await socket.send(loud(500))
        await socket.recv()
        clock.advance(4.9)
        await socket.send('{"type":"ForceEndpoint"}')
        while not json.loads(await socket.recv())["end_of_turn"]:
            pass
        clock.advance(5)
        said = await converse(socket)
    text = "Session terminated due to inactivity: No messages received for 5 seconds"
    assert said.types == ["Error"]
    assert_refused(said, 3006, text)


async def test_a_server_that_stops_delivers_the_last_words() -> None:
    async with serving() as server:
        socket = await server.connect()
        await socket.send(loud(500))
        while json.loads(await socket.recv())["type"] != "Turn":
            pass
        talking = asyncio.create_task(converse(socket))
    said = await talking
    assert said.transcript == "one two"
    assert_refused(said, 3005, "Session Cancelled: An error occurred")


async def test_a_client_that_vanishes_leaves_nothing_behind(server: Server) -> None:
    for _ in range(3):
        socket = await server.connect()
        await socket.send(loud(500))
        await socket.recv()
        socket.transport.abort()
    async with asyncio.timeout(PATIENCE):
        while server.service.open_connections:
            await asyncio.sleep(0)


class FailingEngine(EchoEngine):
    """Fails in sessions at 8 kHz."""

    def open(self, *, sample_rate: int, options: RecognitionOptions) -> EchoStream:
        stream = super().open(sample_rate=sample_rate, options=options)
        if sample_rate == 8000:
            stream.events = self._fail  # type: ignore[method-assign]
        return stream

    async def _fail(self) -> AsyncIterator[SpeechEvent]:
        raise RuntimeError("no such weights")
        yield


async def test_an_engine_that_fails_one_session_fails_only_that_one() -> None:
    async with serving(FailingEngine()) as server, server.connect() as healthy:
        assert_refused(
            await server.converse("sample_rate=8000"), 3005, "Session Cancelled: An error occurred"
        )
        said = await converse(healthy, [loud(500), TERMINATE])
    assert said.transcript == "one two"
    assert said.code == 1000


class ChatteringEngine(EchoEngine):
    """Hears something new all the time."""

    heard = 0

    def open(self, *, sample_rate: int, options: RecognitionOptions) -> EchoStream:
        stream = super().open(sample_rate=sample_rate, options=options)
        stream.events = self._chatter  # type: ignore[method-assign]
        return stream

    async def _chatter(self) -> AsyncIterator[SpeechEvent]:
        while True:
            self.heard += 1
            word = Word("x" * 10_000, self.heard, self.heard, 1)
            yield Partial((word,), stable=0)
            await asyncio.sleep(0)


async def test_a_client_that_does_not_read_is_not_written_for_without_end() -> None:
    engine = ChatteringEngine()
    async with serving(engine) as server:
        socket = await server.connect()
        socket.transport.pause_reading()
        before = -1
        async with asyncio.timeout(PATIENCE):
            while engine.heard != before:
                before = engine.heard
                for _ in range(100):
                    await asyncio.sleep(0.001)
        socket.transport.abort()


class DeafEngine(EchoEngine):
    """Never gets on with listening."""

    taken = 0

    def open(self, *, sample_rate: int, options: RecognitionOptions) -> EchoStream:
        stream = super().open(sample_rate=sample_rate, options=options)
        stream.feed = self._feed  # type: ignore[method-assign]
        return stream

    async def _feed(self, samples: Samples) -> None:
        self.taken += 1
        await asyncio.Event().wait()


async def test_a_client_that_sends_faster_than_is_heard_is_slowed_down() -> None:
    engine = DeafEngine()
    async with serving(engine) as server:
        socket = await server.connect()
        sending = asyncio.create_task(converse(socket, [quiet(1000)] * 1000))
        # 32 MB do not fit into the buffers of two sockets: the rest stays with the client.
        while not engine.taken or socket.transport.get_write_buffer_size() == 0:
            await asyncio.sleep(0)
        assert engine.taken == 1
        assert not sending.done()
        socket.transport.abort()
        await sending


async def test_a_port_that_is_taken_is_an_error(server: Server) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    with pytest.raises(AddressUnusable, match=rf"Cannot listen on 127.0.0.1:{port}: .* in use"):
        async with running("echo", port=port):
            pass


async def test_audio_may_come_before_begin(server: Server) -> None:
    async with server.connect() as socket:
        said = await converse(socket, [loud(500), TERMINATE])
    assert said.transcript == "one two"
