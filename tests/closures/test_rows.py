"""Every row of the closure table, provoked by its real cause over a real socket."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import websockets

from tests.support import (
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
from turnwire.accounts.admission import (
    RENEWAL_SECONDS,
    Grant,
    OpenRegistry,
    Renewal,
    Usage,
    allow,
)
from turnwire.accounts.database import sqlite_url
from turnwire.accounts.management import Management
from turnwire.accounts.store import Store
from turnwire.server.leases import OUTAGE_SECONDS
from turnwire.server.options import ServerOptions
from turnwire.wire.closure import ClosureRow, Kind, Phase, close_reason
from turnwire.wire.closures import CLOSURES
from turnwire.wire.limits import MESSAGE_BYTES

Provoke = Callable[[Server, ManualClock], Awaitable[Conversation]]

PROVOKED: dict[str, list[tuple[str, Provoke]]] = {}
"""For the name of each row, ways to make it happen, each with the text that must come of it."""


def provokes(row: str, text: str) -> Callable[[Provoke], Provoke]:
    def note(provoke: Provoke) -> Provoke:
        PROVOKED.setdefault(row, []).append((text, provoke))
        return provoke

    return note


async def heard(socket: Any, kind: str) -> dict[str, Any]:
    """The next message of this type, those before it dropped."""
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        if message["type"] == kind:
            return message


@provokes("session_ended", "Session Ended")
async def terminate(server: Server, clock: ManualClock) -> Conversation:
    return await server.converse("", [*chunks(loud(500)), TERMINATE])


@provokes("missing_authorization", "Unauthorized Connection: Missing Authorization header")
async def no_key(server: Server, clock: ManualClock) -> Conversation:
    return await server.converse(key=None)


@provokes("unauthorized", "Unauthorized Connection: Invalid API key")
async def unknown_key(server: Server, clock: ManualClock) -> Conversation:
    return await server.converse(key="tw_nobody")


@provokes("unauthorized", "Unauthorized Connection: API key has been revoked")
async def revoked_key(server: Server, clock: ManualClock) -> Conversation:
    [key] = await server.store.management.keys()
    await server.store.management.revoke_key(key.id)
    return await server.converse()


@provokes("access_ended", "Unauthorized Connection: API key has been revoked")
async def key_revoked_meanwhile(server: Server, clock: ManualClock) -> Conversation:
    return await changed_meanwhile(server, clock, lambda manage: manage.revoke_key(1))


@provokes("access_ended", "Unauthorized Connection: Account disabled")
async def account_disabled_meanwhile(server: Server, clock: ManualClock) -> Conversation:
    return await changed_meanwhile(
        server, clock, lambda manage: manage.update_account("default", enabled=False)
    )


@provokes("access_ended", "Unauthorized Connection: Too many concurrent sessions")
async def limit_lowered_meanwhile(server: Server, clock: ManualClock) -> Conversation:
    async with server.connect() as first:
        await heard(first, "Begin")
        clock.advance(1)
        said = await changed_meanwhile(
            server, clock, lambda manage: manage.update_account("default", max_sessions=1)
        )
        # The session that began first goes on.
        assert (await converse(first, [TERMINATE])).code == 1000
    return said


async def changed_meanwhile(
    server: Server, clock: ManualClock, change: Callable[[Management], Awaitable[object]]
) -> Conversation:
    """An operator changes something, and within one renewal an open session ends for it."""
    async with server.connect() as socket:
        await socket.send(loud(500))
        await heard(socket, "Turn")
        await change(server.store.management)
        clock.advance(RENEWAL_SECONDS)
        said = await converse(socket)
    assert said.transcript == "one two"
    return said


@provokes("access_ended", "Unauthorized Connection: Insufficient account balance")
async def balance_used_up_meanwhile(server: Server, clock: ManualClock) -> Conversation:
    await server.store.management.update_account("default", balance_ms=9_000)
    async with server.connect("session_warnings=true") as socket:
        await heard(socket, "Begin")
        warning = await heard(socket, "Warning")
        assert warning["warning"] == "The account's balance ends in 9 seconds"
        await socket.send(loud(500))
        await heard(socket, "Turn")
        clock.advance(RENEWAL_SECONDS)
        await server.service.leases.renew()
        clock.advance(3.9)
        await socket.ping()
        clock.advance(0.1)
        said = await converse(socket)
    [account] = await server.store.management.accounts()
    assert account.balance_ms == 0
    return said


@provokes("access_ended", "Unauthorized Connection: Insufficient account balance")
async def balance_used_up_by_audio(server: Server, clock: ManualClock) -> Conversation:
    await server.store.management.update_account("default", balance_ms=12_000)
    said = await server.converse("", [loud(1000)] * 100)
    [account] = await server.store.management.accounts()
    assert account.balance_ms == 0
    return said


async def token(server: Server, **terms: int) -> str:
    async with server.http(headers={"Authorization": server.key}) as http:
        response = await http.get("/v3/token", params={"expires_in_seconds": 60, **terms})
        return str(response.raise_for_status().json()["token"])


@provokes("unauthorized", "Unauthorized Connection: Signature has expired")
async def expired_token(server: Server, clock: ManualClock) -> Conversation:
    late = await token(server, expires_in_seconds=10)
    clock.advance(11)
    return await server.converse(f"token={late}", key=None)


@provokes("unauthorized", "Unauthorized Connection: Token has already been used")
async def used_token(server: Server, clock: ManualClock) -> Conversation:
    once = await token(server)
    assert (await server.converse("", [TERMINATE], key=once)).code == 1000
    return await server.converse(f"token={once}", key=None)


@provokes("unauthorized", "Unauthorized Connection: Account disabled")
async def disabled_account(server: Server, clock: ManualClock) -> Conversation:
    await server.store.management.update_account("default", enabled=False)
    return await server.converse()


@provokes("unauthorized", "Unauthorized Connection: Insufficient account balance")
async def exhausted_balance(server: Server, clock: ManualClock) -> Conversation:
    await server.store.management.update_account("default", balance_ms=5_500)
    async with server.connect() as socket:
        await heard(socket, "Begin")
        clock.advance(4)
        assert (await converse(socket, [loud(1000), TERMINATE])).code == 1000
    await server.store.management.update_account("default", balance_ms=0)
    return await server.converse()


class BrokenRegistry(OpenRegistry):
    """Fails where it is told to."""

    def __init__(self, store: Store, method: str) -> None:
        self._store = store
        self._method = method
        self.failed: asyncio.Queue[str] = asyncio.Queue()

    def _check(self, method: str) -> None:
        if method == self._method:
            self.failed.put_nowait(method)
            raise OSError("the database is gone")

    async def begin(
        self, session: str, credential: str | None, *, check: Callable[[], None] = allow
    ) -> Grant:
        self._check("begin")
        return await self._store.begin(session, credential, check=check)

    async def renew(self, usages: Mapping[str, Usage]) -> Mapping[str, Renewal]:
        self._check("renew")
        return {}

    async def end(self, session: str, usage: Usage, closure: Any) -> None:
        await self._store.end(session, usage, closure)

    async def close(self) -> None:
        await self._store.close()


@provokes("internal_error", "Internal error")
async def store_down(server: Server, clock: ManualClock) -> Conversation:
    server.service.registry = BrokenRegistry(server.store, "begin")
    return await server.converse()


@provokes("lease_lost", "Session Cancelled: An error occurred")
async def store_failing_meanwhile(server: Server, clock: ManualClock) -> Conversation:
    server.service.registry = registry = BrokenRegistry(server.store, "renew")
    async with server.connect() as socket:
        await socket.send(loud(500))
        await heard(socket, "Turn")
        for _ in range(int(OUTAGE_SECONDS / RENEWAL_SECONDS)):
            clock.advance(RENEWAL_SECONDS)
            await registry.failed.get()
        said = await converse(socket)
    # It went on for as long as the operator allows, and its last words are delivered.
    assert said.transcript == "one two"
    return said


@provokes("server_error", "Session Cancelled: An error occurred")
async def engine_failing(server: Server, clock: ManualClock) -> Conversation:
    # Opening a stream for the session raises.
    server.service.engine.open = None  # type: ignore[method-assign,assignment]
    return await server.converse()


@provokes("server_stopping", "Session Cancelled: An error occurred")
async def server_stopping(server: Server, clock: ManualClock) -> Conversation:
    async with server.connect() as socket:
        await socket.send(loud(500))
        await heard(socket, "Turn")
        stopping = asyncio.create_task(server.service.stop())
        said = await converse(socket)
        await stopping
    assert said.transcript == "one two"
    return said


@provokes("invalid_message_type", "Invalid Message Type: Bogus")
async def unknown_type(server: Server, clock: ManualClock) -> Conversation:
    return await server.converse("", ['{"type":"Bogus"}'])


@provokes("invalid_json", "Invalid JSON: {not json")
async def not_json(server: Server, clock: ManualClock) -> Conversation:
    return await server.converse("", ["{not json"])


@provokes("invalid_json", f"Invalid JSON: {'é' * 299}…")
async def much_that_is_not_json(server: Server, clock: ManualClock) -> Conversation:
    return await server.converse("", ["é" * 1000])


@provokes("invalid_message", "Invalid Message: []")
async def not_an_object(server: Server, clock: ManualClock) -> Conversation:
    return await server.converse("", ["[]"])


@provokes(
    "invalid_parameter",
    "User Input Validation Error: Invalid 'sample_rate': "
    "Value error, sample_rate must be at least 8,000 Hz",
)
async def bad_query(server: Server, clock: ManualClock) -> Conversation:
    once = await token(server)
    said = await server.converse(f"sample_rate=4000&token={once}", key=None)
    # A session that was never begun does not use up its token.
    assert (await server.converse("", [TERMINATE], key=once)).code == 1000
    return said


@provokes(
    "invalid_parameter",
    "User Input Validation Error: Invalid 'min_turn_silence': "
    "Value error, invalid literal for int() with base 10: 'soon'",
)
async def bad_update(server: Server, clock: ManualClock) -> Conversation:
    update = {"type": "UpdateConfiguration", "min_turn_silence": "soon"}
    return await server.converse("", [json.dumps(update)])


@provokes(
    "undecodable_audio",
    "User Input Validation Error: Failed to decode Opus packet: [Errno 1094995529] "
    "Invalid data found when processing input: 'avcodec_send_packet()'",
)
async def no_opus_packet(server: Server, clock: ManualClock) -> Conversation:
    return await server.converse("encoding=opus", [b"\xff"])


@provokes(
    "undecodable_audio",
    "User Input Validation Error: Failed to decode Ogg Opus stream: "
    "no Ogg page where one should begin",
)
async def no_ogg_stream(server: Server, clock: ManualClock) -> Conversation:
    return await server.converse("encoding=ogg_opus", [quiet(100)])


@provokes(
    "undecodable_audio",
    "User Input Validation Error: Failed to decode AAC stream: "
    "no ADTS header where a frame should begin",
)
async def no_adts_stream(server: Server, clock: ManualClock) -> Conversation:
    return await server.converse("encoding=aac", [quiet(100)])


@provokes("inactive", "Session terminated due to inactivity: No messages received for 5 seconds")
async def silence(server: Server, clock: ManualClock) -> Conversation:
    async with server.connect("inactivity_timeout=5") as socket:
        await heard(socket, "Begin")
        clock.advance(5)
        return await converse(socket)


@provokes("input_duration", "Input duration violation: 1200.0 ms. Expected between 50 and 1000 ms")
async def long_chunk(server: Server, clock: ManualClock) -> Conversation:
    return await server.converse("", [quiet(1200)])


@provokes("input_duration", "Input duration violation: 20.0 ms. Expected between 50 and 1000 ms")
async def run_of_short_chunks(server: Server, clock: ManualClock) -> Conversation:
    return await server.converse("", [quiet(20)] * 50)


@provokes(
    "transmission_rate", "Audio Transmission Rate Exceeded: Received 3.0 sec. audio in 0.500000 sec"
)
async def faster_than_real_time(server: Server, clock: ManualClock) -> Conversation:
    server.service.options = ServerOptions(ahead_seconds=2)
    async with server.connect() as socket:
        await heard(socket, "Begin")
        await socket.send(loud(1000))
        await heard(socket, "Turn")
        clock.advance(0.5)
        return await converse(socket, [quiet(1000)] * 2)


@provokes("session_expired", "Session Expired: Maximum session duration exceeded")
async def three_hours(server: Server, clock: ManualClock) -> Conversation:
    async with server.connect() as socket:
        begin = await heard(socket, "Begin")
        assert begin["expires_at"] == int(clock.unix_time()) + 3 * 60 * 60
        await socket.send(loud(500))
        await heard(socket, "Turn")
        clock.advance(3 * 60 * 60)
        said = await converse(socket)
    assert said.transcript == "one two"
    return said


@provokes("session_expired", "Session Expired: Maximum session duration exceeded")
async def cap_of_a_token(server: Server, clock: ManualClock) -> Conversation:
    short = await token(server, max_session_duration_seconds=60)
    async with server.connect(f"token={short}", key=None) as socket:
        begin = await heard(socket, "Begin")
        assert begin["expires_at"] == int(clock.unix_time()) + 60
        clock.advance(60)
        return await converse(socket)


@provokes("too_many_sessions", "Unauthorized Connection: Too many concurrent sessions")
async def one_too_many(server: Server, clock: ManualClock) -> Conversation:
    await server.store.management.update_account("default", max_sessions=1)
    async with server.connect() as socket:
        await heard(socket, "Begin")
        return await server.converse()


@provokes("too_many_sessions", "Unauthorized Connection: Too many concurrent sessions")
async def too_many_a_minute(server: Server, clock: ManualClock) -> Conversation:
    await server.store.management.update_account("default", sessions_per_minute=2)
    for _ in range(2):
        assert (await server.converse("", [TERMINATE])).code == 1000
    said = await server.converse()
    clock.advance(60)
    assert (await server.converse("", [TERMINATE])).code == 1000
    return said


@provokes("message_too_large", "Message too large: 131073 bytes. Expected at most 131072 bytes")
async def large_message(server: Server, clock: ManualClock) -> Conversation:
    return await server.converse("", [bytes(MESSAGE_BYTES + 1)])


@provokes("message_too_large", "Message too large: 2000000 bytes. Expected at most 131072 bytes")
async def message_far_too_large(server: Server, clock: ManualClock) -> Conversation:
    return await server.converse("", [bytes(2_000_000)])


async def sent_raw(server: Server, *frames: bytes) -> Conversation:
    """What comes of bytes that no library would send."""
    async with server.connect() as socket:
        begin = await heard(socket, "Begin")
        for frame in frames:
            socket.transport.write(frame)
        said = await converse(socket)
    said.messages.insert(0, begin)
    return said


@provokes("websocket_violation", "Protocol error: a reserved bit is set")
async def reserved_bit(server: Server, clock: ManualClock) -> Conversation:
    return await sent_raw(server, b"\xc2\x80\0\0\0\0")


@provokes("invalid_text", "Invalid text: A text message is not UTF-8")
async def not_utf8(server: Server, clock: ManualClock) -> Conversation:
    return await sent_raw(server, b"\x81\x81\0\0\0\0\xff")


@provokes("message_rate", "Message Rate Exceeded: Too many messages other than audio")
async def flood_of_pings(server: Server, clock: ManualClock) -> Conversation:
    return await sent_raw(server, b"\x89\x80\0\0\0\0" * 1000)


@provokes("no_capacity", "No capacity: This server has as many sessions as it can serve")
async def full_server(server: Server, clock: ManualClock) -> Conversation:
    server.service.options = ServerOptions(max_sessions=1)
    async with server.connect() as socket:
        await heard(socket, "Begin")
        return await server.converse()


@provokes("client_gone", "")
async def vanished_client(server: Server, clock: ManualClock) -> Conversation:
    async with server.connect() as socket:
        said = Conversation([await heard(socket, "Begin")])
        await socket.send(loud(500))
        await heard(socket, "Turn")
        socket.transport.abort()
    while server.service.open_connections:
        await asyncio.sleep(0)
    return said


def provoked() -> Iterator[Any]:
    for row in CLOSURES:
        for text, provoke in PROVOKED.get(row.name, []):
            yield pytest.param(row, text, provoke, id=f"{row.name}-{provoke.__name__}")


@pytest.mark.parametrize(("row", "text", "provoke"), list(provoked()))
async def test_row(row: ClosureRow, text: str, provoke: Provoke) -> None:
    clock = ManualClock()
    async with serving(clock=clock) as server:
        store = server.store
        said = await provoke(server, clock)
        # Sessions that a test opened beside the one in question are still being closed.
        while server.service.open_connections:
            await asyncio.sleep(0)
        entries = {
            entry.id: entry
            for entry in await store.management.sessions(account=None, only_open=False, limit=100)
        }

        # The frames: Error right before the close, with the same code, and nothing after it.
        if row.kind in (Kind.ERROR, Kind.KNOWN):
            assert said.messages[-1] == {"type": "Error", "error_code": row.code, "error": text}
            assert said.types.count("Error") == 1
        else:
            assert "Error" not in said.types
        if row.kind is not Kind.NORMAL or row.code == 1000:
            assert said.code == row.code
            assert said.reason == close_reason(text)
            assert len(said.reason.encode()) <= 123
        assert ("Termination" in said.types) == (row.code == 1000)

        # The ledger: a session that began has an entry with the row's name, and no other has.
        if row.phase is Phase.OPENING:
            assert "Begin" not in said.types
        elif "Begin" in said.types:
            entry = entries[said.messages[0]["id"]]
            assert entry.closure == row.name
            assert entry.billed_ms >= max(entry.audio_ms, entry.session_ms)
        assert all(entry.ended_at is not None for entry in entries.values())


@pytest.mark.parametrize("path", ["/v2/realtime/ws", "/v2/realtime/token"])
async def test_the_retired_paths_are_gone(path: str) -> None:
    text = (
        "Deprecated endpoint: The V2 streaming API has been retired. "
        "Use this endpoint instead: /v3/ws"
    )
    async with serving() as server, server.http() as http:
        for response in (await http.get(path), await http.post(path)):
            assert (response.status_code, response.json()) == (410, {"error": text})
        with pytest.raises(websockets.InvalidStatus) as caught:
            await server.connect(path=path)
    assert caught.value.response.status_code == 410
    assert json.loads(caught.value.response.body or b"") == {"error": text}


async def serve(data_dir: Path) -> tuple[asyncio.subprocess.Process, str, str | None]:
    """A server in a process of its own: it, its URL, and the first key if it made one."""
    command = ["-m", "turnwire", "serve", "--model=echo", "--port=0", "--node=n", "--reclaim"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, f"--data-dir={data_dir}", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    key = None
    while True:
        line = (await process.stdout.readline()).decode()
        if found := re.search(r"API key is in (.+), which", line):
            key = (await asyncio.to_thread(Path(found[1]).read_text)).strip()
        if found := re.search(r"ready at (ws://\S+)/v3/ws", line):
            return process, found[1], key


async def test_a_server_that_is_killed_loses_no_entry(tmp_path: Path) -> None:
    process, url, key = await serve(tmp_path)
    assert key is not None
    async with Server(url, None, key).connect() as socket:  # type: ignore[arg-type]
        begin = await heard(socket, "Begin")
        process.send_signal(signal.SIGKILL)
        await process.wait()
        said = await converse(socket)
    assert said.code == 1006

    process, url, key = await serve(tmp_path)
    assert key is None
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0

    store = await Store.open(sqlite_url(tmp_path), node="other")
    [entry] = await store.management.sessions(account=None, only_open=False, limit=10)
    await store.close()
    assert (entry.id, entry.closure) == (begin["id"], "session_lost")
    assert entry.ended_at is not None


def test_every_row_is_provoked() -> None:
    elsewhere = {"deprecated_endpoint", "session_lost"}
    assert {row.name for row in CLOSURES} == set(PROVOKED) | elsewhere
