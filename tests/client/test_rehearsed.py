"""Every closure and every fault, as the rehearsal of a real server plays them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support import PATIENCE, Server, loud, quiet, serving
from turnwire.accounts.admission import OpenRegistry
from turnwire.client import AsyncClient, Client, Closure, SessionClosed, errors, leg
from turnwire.wire.closure import NO_CLOSE_FRAME, ClosureRow, Kind, Phase
from turnwire.wire.closures import CLOSURES, SESSION_ENDED

NOT_WAITED_FOR = ("vanish", "stall/20s", "vanish/before-begin", "no-begin", "slow-begin/1s")
"""Faults that a client's limits end, which are short ones then. All else may take its time."""


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(rehearse=True, registry=OpenRegistry()) as server:
        yield server


@dataclass
class Told:
    """What a client's handlers were called with, in order."""

    calls: list[tuple[str, Any]] = field(default_factory=list)

    def handlers(self) -> dict[str, Any]:
        return {f"on_{name}": self._noting(name) for name in ("error", "close", "termination")}

    def _noting(self, name: str) -> Any:
        return lambda argument: self.calls.append((name, argument))


async def experience(
    server: Server, rehearsal: str, kind: type[AsyncClient] | type[Client] = AsyncClient
) -> tuple[Told, Closure]:
    """One session without a second one, to its end."""
    told = Told()
    client = kind(
        f"{server.url}/rehearse/{rehearsal}/v3/ws",
        api_key="any",
        reconnect=None,
        **told.handlers(),
    )
    async with asyncio.timeout(PATIENCE):
        try:
            if isinstance(client, AsyncClient):
                async with client:
                    await client.send(AUDIO)
            else:
                await asyncio.to_thread(block, client)
        except SessionClosed:
            pass
    assert client.closure is not None
    return told, client.closure


def block(client: Client) -> None:
    with client:
        client.send(AUDIO)


AUDIO = loud(500) + quiet(1500)

BOTH = pytest.mark.parametrize("kind", [AsyncClient, Client])

ROWS = [row for row in CLOSURES if row.code != NO_CLOSE_FRAME]

FIRST_OF_TEXT = {row.template: row for row in reversed(ROWS)}
"""What a client can tell a row from: of two with one text it sees the first."""


@BOTH
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_every_row(
    server: Server, row: ClosureRow, kind: type[AsyncClient] | type[Client]
) -> None:
    told, closure = await experience(server, row.name, kind)
    text, begun = row.for_example().text, row.phase is not Phase.OPENING
    row = FIRST_OF_TEXT[row.template]
    assert closure.row is row
    assert closure.code == row.code
    assert text in closure.text
    assert closure.is_error == (row.kind in (Kind.ERROR, Kind.HTTP))
    assert closure.retry_after == row.retry_after
    assert closure.advice == row.advice
    assert closure.by == "the server"
    assert (closure.session_id is not None) == begun
    assert begun or (closure.session_seconds, closure.audio_seconds) == (0, 0)

    names = [name for name, _ in told.calls]
    expected = ["error", "close"] if closure.is_error else ["close"]
    if row is SESSION_ENDED:
        expected.insert(0, "termination")
    assert names == expected
    assert told.calls[-1][1] == closure
    if closure.is_error:
        error = told.calls[-2][1]
        assert type(error) is type(errors.raised_for(closure))
        assert error.closure is closure


@BOTH
@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("ok", "session_ended"),
        ("reset", "connection_lost"),
        ("reset/before-begin", "connection_lost"),
        ("reset/after/1frames", "connection_lost"),
        ("vanish", "connection_lost"),
        ("vanish/before-begin", "no_begin"),
        ("stall/0.2s", "session_ended"),
        ("stall/20s", "connection_lost"),
        ("malformed", "session_ended"),
        ("unknown-message", "session_ended"),
        ("malformed/before-begin", "session_ended"),
        ("no-begin", "no_begin"),
        ("slow-begin/0.2s", "session_ended"),
        ("slow-begin/1s", "no_begin"),
        ("no-termination", "no_termination"),
        ("handshake/503", "handshake_failed"),
        ("handshake/403", "handshake_refused"),
    ],
)
async def test_every_fault_ends_in_time_and_is_told_once(
    server: Server,
    fault: str,
    name: str,
    kind: type[AsyncClient] | type[Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if fault in NOT_WAITED_FOR:
        for limit in ("PING_SECONDS", "PONG_SECONDS", "CLOSE_SECONDS"):
            monkeypatch.setattr(leg, limit, 0.5)
        if name == "no_begin":
            monkeypatch.setattr(leg, "OPEN_SECONDS", 0.5)
    told, closure = await experience(server, fault, kind)
    assert closure.name == name
    names = [called for called, _ in told.calls if called != "termination"]
    assert names == (["error", "close"] if closure.is_error else ["close"])


async def test_a_sequence_of_endings_is_one_stream(server: Server) -> None:
    texts: list[str] = []
    async with asyncio.timeout(PATIENCE):
        async with AsyncClient(
            f"{server.url}/rehearse/sequence/reset,3005,3008,ok/v3/ws",
            api_key="any",
            on_turn=lambda turn: texts.append(turn.transcript) if turn.end_of_turn else None,
            random=lambda: 0.0,
        ) as client:
            await client.send(AUDIO)
    assert texts == ["one two"]
    assert [record.closure.name for record in client.sessions if record.closure] == [
        "connection_lost",
        "server_error",
        "session_expired",
        "session_ended",
    ]
