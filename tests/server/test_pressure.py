"""Sessions and their server under clients that send too much, too fast, or the wrong key."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import PATIENCE, TERMINATE, ManualClock, Server, converse, loud, quiet, serving
from turnwire.accounts.admission import Grant, OpenRegistry, Usage, allow
from turnwire.recognition import RecognitionOptions
from turnwire.server import admission
from turnwire.server.port import AddressUnusable, Port
from turnwire.server.site import is_own_origin
from turnwire.server.wrong_keys import FREE_WRONG_KEYS, WRONG_KEY_SECONDS
from turnwire.speech.echo import EchoEngine, EchoStream
from turnwire.speech.engine import Samples
from turnwire.transport.request import Request
from turnwire.wire.closure import Closure, Violation
from turnwire.wire.closures import UNAUTHORIZED


class DeafEngine(EchoEngine):
    """Never takes any audio."""

    def open(self, *, sample_rate: int, options: RecognitionOptions) -> EchoStream:
        stream = super().open(sample_rate=sample_rate, options=options)
        stream.feed = self._feed  # type: ignore[method-assign]
        return stream

    async def _feed(self, samples: Samples) -> None:
        await asyncio.Event().wait()


async def test_audio_within_the_allowance_is_transcribed_whole_however_fast_it_comes() -> None:
    async with serving() as server:
        said = await server.converse("", [*[loud(1000)] * 280, TERMINATE])
    # The echo engine hears a word every 250 ms.
    assert len(said.transcript.split()) == 4 * 280
    assert said.messages[-1]["audio_duration_seconds"] == 280
    assert said.code == 1000


async def test_audio_beyond_the_allowance_is_refused_whatever_waits() -> None:
    async with serving() as server:
        said = await server.converse("", [quiet(1000)] * 420)
        assert said.code == 3007
        assert said.messages[-1]["error"].startswith("Audio Transmission Rate Exceeded")
        async with asyncio.timeout(PATIENCE):
            while server.service.open_connections:
                await asyncio.sleep(0.01)
        assert server.service.held_audio.held == 0


async def test_a_full_store_ends_whose_audio_is_ahead_of_time_and_health_shows_it() -> None:
    async with serving(DeafEngine()) as server:
        server.service.held_audio.limit = 3_000_000
        async with server.http() as http:
            assert (await http.get("/health")).json()["max_held_audio_bytes"] == 3_000_000
        said = await server.converse("", [quiet(1000)] * 290)
        assert said.code == 3007
        # One that is in time stays.
        async with server.connect() as connection:
            await connection.recv()
            await connection.send(quiet(1000))
            await (await connection.ping())
            assert server.service.open_sessions == 1


async def test_of_keys_and_capacity_keys_are_judged_first() -> None:
    async with serving(max_sessions=1) as server, server.connect() as live:
        await live.recv()
        wrong = await server.converse("", [], key="nobody")
        assert wrong.code == 1008
        assert (await server.converse()).code == 1013
        assert server.service.open_sessions == 1


async def test_who_comes_with_a_wrong_key_takes_no_slot() -> None:
    class Slow(OpenRegistry):
        """Does not know yet."""

        async def begin(
            self, session: str, credential: str | None, *, check: Callable[[], None] = allow
        ) -> Grant:
            if credential == "wrong":
                await asyncio.Event().wait()
            return await super().begin(session, credential, check=check)

    async with serving(registry=Slow(), max_sessions=1) as server:
        hanging = [await server.connect(key="wrong") for _ in range(5)]
        assert (await server.converse("", [TERMINATE], key="right")).code == 1000
        for each in hanging:
            each.transport.abort()
        async with asyncio.timeout(PATIENCE):
            while server.service.open_connections:
                await asyncio.sleep(0.01)
        server.service._admission._unanswered.clear()


async def test_wrong_keys_that_keep_coming_are_answered_late_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Strict(OpenRegistry):
        async def begin(
            self, session: str, credential: str | None, *, check: Callable[[], None] = allow
        ) -> Grant:
            raise Violation(UNAUTHORIZED.fill(reason="Invalid API key"))

    clock = ManualClock()
    async with serving(registry=Strict(), clock=clock) as server:
        for _ in range(FREE_WRONG_KEYS):
            assert (await server.converse("", [])).code == 1008
        assert caplog.text.count("no valid key from 127.0.0.1") == FREE_WRONG_KEYS
        talking = asyncio.create_task(server.converse("", []))
        async with asyncio.timeout(PATIENCE):
            while "wrong keys keep coming from 127.0.0.1" not in caplog.text:
                await asyncio.sleep(0.01)
        assert not talking.done()
        clock.advance(WRONG_KEY_SECONDS)
        assert (await talking).code == 1008
    assert "nobody" not in caplog.text


class Stuck(OpenRegistry):
    """Lets nobody in until it goes on."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.ended: list[str] = []

    async def begin(
        self, session: str, credential: str | None, *, check: Callable[[], None] = allow
    ) -> Grant:
        self.asked.set()
        await self.goes_on.wait()
        return Grant()

    async def end(self, session: str, usage: Usage, closure: Closure) -> None:
        self.ended.append(closure.row.name)


async def test_a_store_that_answers_nobody_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(admission, "TICK_SECONDS", 0.01)
    registry = Stuck()
    async with serving(registry=registry) as server:
        said = await server.converse("", [])
        assert (said.code, said.types) == (1011, ["Error"])
        # What it lets in later is let go of at once.
        registry.goes_on.set()
        async with asyncio.timeout(PATIENCE):
            while not registry.ended:
                await asyncio.sleep(0.01)
    assert registry.ended == ["internal_error"]


async def test_a_store_that_answers_others_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(admission, "ADMISSION_TICKS", 100_000)
    registry = Stuck()
    async with serving(registry=registry) as server:
        talking = asyncio.create_task(server.converse("", [TERMINATE]))
        await registry.asked.wait()
        for _ in range(3 * admission.SILENCE_TICKS):
            await server.service.leases.renew()
            await asyncio.sleep(admission.TICK_SECONDS)
        registry.goes_on.set()
        assert (await talking).code == 1000


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer"])
async def test_a_bearer_is_one_in_any_case(scheme: str) -> None:
    async with serving() as server:
        said = await server.converse("", [TERMINATE], key=f"{scheme} {server.key}")
        assert said.code == 1000
        async with server.http(headers={"Authorization": f"{scheme} {server.key}"}) as http:
            answer = await http.get("/v3/token", params={"expires_in_seconds": 60})
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://localhost:8080", "localhost:8080", True),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", True),
        ("http://[::1]:8080", "[::1]:8080", True),
        ("https://localhost:8080", "localhost:8080", False),
        ("http://localhost:9999", "localhost:8080", False),
        ("http://evil.example:8080", "evil.example:8080", False),
        ("null", "localhost:8080", False),
    ],
)
def test_a_page_is_the_servers_own_only_if_nobody_else_can_serve_its_host(
    origin: str, host: str, own: bool
) -> None:
    request = Request(method="GET", target="/", version="1.1", headers=[("host", host)])
    assert is_own_origin(origin, request) is own


async def test_without_authentication_pages_of_other_origins_are_refused() -> None:
    import websockets

    async def status(server: Server, origin: str) -> int:
        try:
            async with websockets.connect(
                f"{server.url}/v3/ws", origin=websockets.Origin(origin), proxy=None
            ) as connection:
                return (await converse(connection, [TERMINATE])).code or 0
        except websockets.InvalidStatus as refused:
            return refused.response.status_code

    async with serving(registry=OpenRegistry(), origins={"https://app.example"}) as server:
        assert await status(server, "https://evil.example") == 403
        assert await status(server, "https://app.example") == 1000
        assert await status(server, server.url.replace("ws", "http", 1)) == 1000
        assert (await server.converse("", [TERMINATE], key=None)).code == 1000
    async with serving(registry=OpenRegistry()) as server:
        assert await status(server, "https://evil.example") == 1000


def test_a_port_is_taken_before_it_is_listened_on() -> None:
    with Port.take() as port:
        number = port.sockets[0].getsockname()[1]
        with pytest.raises(AddressUnusable), Port.take(port=number):
            pass
        with socket.socket() as client, pytest.raises(ConnectionRefusedError):
            client.connect(("127.0.0.1", number))
        port.listen()
        with socket.create_connection(("127.0.0.1", number)):
            pass
        with pytest.raises(AddressUnusable), Port.take(port=number):
            pass


async def test_signals_end_a_server_well_whatever_is_connected(tmp_path: Path) -> None:
    command = ["-m", "turnwire", "serve", "--model=echo", "--port=0"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        f"--data-dir={tmp_path}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    while b"ready" not in (line := await process.stdout.readline()):
        assert line, await process.stderr.read()
    port = int(line.decode().split("/v3/ws")[0].rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /v3/ws HTTP/1.1\r\nHost: x\r\nUpg")
    for sign in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM):
        process.send_signal(sign)
    async with asyncio.timeout(PATIENCE):
        _, errors = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert b"SIGUSR1 means nothing" in errors
    writer.close()


async def test_terminate_and_hanging_up_at_once_is_one_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as server:
        for _ in range(10):
            async with server.connect() as connection:
                assert json.loads(await connection.recv())["type"] == "Begin"
                await connection.send(loud(500))
                await connection.send(TERMINATE)
                connection.transport.abort()
        async with asyncio.timeout(PATIENCE):
            while server.service.open_connections:
                await asyncio.sleep(0.01)
        entries = await server.store.management.sessions(account=None, only_open=False, limit=100)
    assert {entry.closure for entry in entries} <= {"client_gone", "session_ended"}
    assert "Traceback" not in caplog.text
