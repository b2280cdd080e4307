"""The ASGI application under a server that is not ours."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message
from websockets import InvalidStatus
from websockets.asyncio.client import connect

from tests.support import TERMINATE, Conversation, converse, loud, quiet
from turnwire.accounts.database import sqlite_url
from turnwire.accounts.store import Store
from turnwire.asgi import Application, create_app, load_settings
from turnwire.server.settings import SettingsError
from turnwire.wire.limits import MESSAGE_BYTES


@pytest.fixture
async def key(tmp_path: Path) -> str:
    store = await Store.open(sqlite_url(tmp_path), node="before")
    key = await store.management.create_first_account()
    await store.close()
    assert key is not None
    return key


@pytest.fixture
def app(tmp_path: Path, key: str) -> Application:
    return create_app(load_settings(model="echo", data_dir=tmp_path))


@asynccontextmanager
async def hosted(app: ASGIApp, lifespan: str = "on") -> AsyncIterator[str]:
    """The host and port where uvicorn serves an application."""
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        lifespan=lifespan,  # type: ignore[arg-type]
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


async def session(address: str, key: str, *messages: bytes | str, path: str = "") -> Conversation:
    url = f"ws://{address}{path}/v3/ws?sample_rate=16000"
    async with connect(url, additional_headers={"Authorization": key}, proxy=None) as websocket:
        return await converse(websocket, messages)


TURN = [loud(1000), quiet(1000), quiet(1000)]


async def test_sessions_are_served_as_by_a_server_of_our_own(app: Application, key: str) -> None:
    async with hosted(app) as address:
        said = await session(address, key, *TURN, TERMINATE)
        assert (said.code, said.types[0], said.types[-1]) == (1000, "Begin", "Termination")
        assert said.transcript == "one two three four"
        refused = await session(address, "wrong")
        assert (refused.code, refused.types) == (1008, ["Error"])
        large = await session(address, key, bytes(MESSAGE_BYTES + 1))
        assert (large.code, large.types) == (1009, ["Begin", "Error"])
        async with httpx.AsyncClient(base_url=f"http://{address}") as http:
            assert (await http.get("/health")).json()["model"] == "echo"
            token = await http.get(
                "/v3/token?expires_in_seconds=60", headers={"Authorization": key}
            )
        url = f"ws://{address}/v3/ws?sample_rate=16000&token={token.json()['token']}"
        async with connect(url, proxy=None) as websocket:
            assert (await converse(websocket, [TERMINATE])).code == 1000
        with pytest.raises(InvalidStatus) as elsewhere:
            await connect(f"ws://{address}/elsewhere", proxy=None)
        assert elsewhere.value.response.status_code == 404
        assert b"no such path" in elsewhere.value.response.body


async def test_many_sessions_at_once_keep_their_own_words(app: Application, key: str) -> None:
    async with hosted(app) as address:
        said = await asyncio.gather(
            *(session(address, key, *TURN * 3, TERMINATE) for _ in range(20))
        )
    assert {each.code for each in said} == {1000}
    assert len({each.transcript for each in said}) == 1


async def test_another_application_has_it_below_a_path(app: Application, key: str) -> None:
    host = FastAPI(lifespan=app.lifespan)
    host.mount("/stt", app)
    async with hosted(host) as address:
        assert (await session(address, key, TERMINATE, path="/stt")).code == 1000
        async with httpx.AsyncClient(base_url=f"http://{address}/stt") as http:
            assert (await http.get("/ready")).status_code == 200


async def test_a_drain_lets_sessions_end_before_the_host_closes_their_connections(
    tmp_path: Path, key: str
) -> None:
    app = create_app(load_settings(model="echo", data_dir=tmp_path, drain_seconds=0))
    async with hosted(app) as address:
        speaking = asyncio.create_task(session(address, key, loud(1000)))
        async with httpx.AsyncClient(base_url=f"http://{address}") as http:
            while not (await http.get("/health")).json()["sessions"]:
                await asyncio.sleep(0.005)
            await app.drain()
            said = await speaking
            assert (said.code, said.transcript) == (3005, "one two three four")
            assert (await http.get("/ready")).status_code == 503
        with pytest.raises(InvalidStatus) as refused:
            await session(address, key)
        assert refused.value.response.status_code == 503


async def test_a_client_that_goes_ends_its_session(app: Application, key: str) -> None:
    async with hosted(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as http:
        url = f"ws://{address}/v3/ws?sample_rate=16000"
        websocket = await connect(url, additional_headers={"Authorization": key}, proxy=None)
        await websocket.recv()
        websocket.transport.abort()
        while (await http.get("/health")).json()["sessions"]:
            await asyncio.sleep(0.005)
        await websocket.close()


class Wire:
    """One WebSocket of an ASGI server that closes no connection by itself."""

    def __init__(self, app: Application, key: str) -> None:
        self._app = app
        self._scope = {
            "type": "websocket",
            "path": "/v3/ws",
            "query_string": b"sample_rate=16000",
            "headers": [(b"authorization", key.encode())],
            "http_version": "1.1",
            "scheme": "ws",
            "client": None,
        }
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self.from_app: asyncio.Queue[Message] = asyncio.Queue()
        self.unread = asyncio.Event()
        """Set for a client that reads nothing."""
        self.to_app({"type": "websocket.connect"})

    def to_app(self, message: Message) -> None:
        self._to_app.put_nowait(message)

    async def serve(self) -> None:
        await self._app(self._scope, self._to_app.get, self._send)

    async def _send(self, message: Message) -> None:
        if self.unread.is_set():
            await asyncio.Event().wait()
        await self.from_app.put(message)


async def test_the_end_of_the_lifespan_ends_sessions_that_are_still_there(
    app: Application, key: str
) -> None:
    wire = Wire(app, key)
    async with app.lifespan():
        serving = asyncio.create_task(wire.serve())
        assert (await wire.from_app.get())["type"] == "websocket.accept"
        assert '"Begin"' in (await wire.from_app.get())["text"]
    await serving
    assert "3005" in (await wire.from_app.get())["text"]
    assert (await wire.from_app.get())["code"] == 3005
    with pytest.raises(RuntimeError, match="run its lifespan"):
        await Wire(app, key).serve()


async def test_a_client_that_reads_nothing_is_gone_after_a_while(
    app: Application, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("turnwire.asgi.socket.SEND_SECONDS", 0.05)
    wire = Wire(app, key)
    async with app.lifespan():
        serving = asyncio.create_task(wire.serve())
        await wire.from_app.get()
        await wire.from_app.get()
        wire.unread.set()
        for _ in range(30):
            wire.to_app({"type": "websocket.receive", "bytes": loud(1000)})
        await serving


async def test_what_cannot_start_says_why(tmp_path: Path) -> None:
    app = create_app(load_settings(model=str(tmp_path / "nowhere"), data_dir=tmp_path))
    said: asyncio.Queue[Message] = asyncio.Queue()
    heard: asyncio.Queue[Message] = asyncio.Queue()
    await heard.put({"type": "lifespan.startup"})
    await app({"type": "lifespan"}, heard.get, said.put)
    failed = said.get_nowait()
    assert failed["type"] == "lifespan.startup.failed"
    assert "nowhere" in failed["message"]
    with pytest.raises(SettingsError, match="turnwire serve --rehearse"):
        create_app(load_settings(rehearse=True))
