"""Webhooks on a real server: what is posted, when again, and what never is."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from websockets import ConnectionClosed

from tests.support import PATIENCE, TERMINATE, ManualClock, Server, loud, quiet, serving, spoken
from tests.webhooks.receiver import SILENCE, Answer, receiving
from turnwire.accounts.admission import OpenRegistry
from turnwire.accounts.database import sqlite_url
from turnwire.accounts.store import Store
from turnwire.speech.echo import EchoEngine
from turnwire.webhooks import posting
from turnwire.webhooks.administration import Listed
from turnwire.webhooks.deliveries import PAUSES, Deliveries
from turnwire.webhooks.sending import webhooks
from turnwire.webhooks.signing import signed_headers

TURN = [loud(1000), quiet(1000), quiet(1000)]


def deliveries(server: Server) -> Deliveries:
    return Deliveries(server.store.database)


async def listed(server: Server) -> Sequence[Listed]:
    return await deliveries(server).newest(limit=100)


async def until(server: Server, condition: Callable[[Sequence[Listed]], bool]) -> Sequence[Listed]:
    """All deliveries, once they are so."""
    async with asyncio.timeout(PATIENCE):
        while not condition(found := await listed(server)):
            await asyncio.sleep(0.005)
    return found


async def settled(server: Server, *states: str) -> Sequence[Listed]:
    """All deliveries, once they are in these states."""
    return await until(server, lambda all_: sorted(each.state for each in all_) == sorted(states))


@asynccontextmanager
async def posting_server(**options: Any) -> AsyncIterator[Server]:
    """Its engine hears "one two three four", and it may post to this machine."""
    engine = EchoEngine(spoken("one two three four"))
    posting = webhooks(allow_private=True, chance=lambda: 0.0)
    async with serving(engine, extend=[posting], **options) as server:
        yield server


async def session(server: Server, url: str, query: str = "", turns: int = 1) -> str:
    """The id of a session with so many turns that has ended."""
    said = await server.converse(
        f"sample_rate=16000&webhook_url={quote(url, safe='')}&{query}",
        [*TURN * turns, TERMINATE],
    )
    assert said.code == 1000, said.messages
    return str(said.messages[0]["id"])


async def test_the_finished_turns_are_posted_once_signed_and_nothing_of_them_is_kept() -> None:
    async with posting_server() as server, receiving() as receiver:
        query = (
            "webhook_auth_header_name=Authorization&webhook_auth_header_value=Bearer%20x"
            "&format_turns=true"
        )
        id = await session(server, receiver.url, query, turns=2)
        await receiver.wait_for(1)
        [listed] = await settled(server, "delivered")
        [posted] = receiver.posted
        assert posted.json.keys() == {"session_id", "messages"}
        assert posted.json["session_id"] == id == listed.session_id
        turns = posted.json["messages"]
        assert [turn["turn_order"] for turn in turns] == [0, 1]
        assert {(turn["type"], turn["end_of_turn"]) for turn in turns} == {("Turn", True)}
        assert all(turn["turn_is_formatted"] for turn in turns), "of each turn, the last message"
        assert posted.headers["authorization"] == "Bearer x"
        assert posted.headers["content-type"] == "application/json"
        secret = await deliveries(server).secret("default")
        expected = signed_headers(
            secret, listed.id, posted.body, timestamp=int(posted.headers["webhook-timestamp"])
        )
        assert expected.items() <= posted.headers.items()
        assert "secret" not in listed.host
        async with server.store.database.begin() as db:
            connection = await db.connection()
            kept = await connection.exec_driver_sql("SELECT * FROM turnwire_deliveries")
            row = str(kept.one())
        assert "two three" not in row
        assert "Bearer" not in row
        assert "secret=yes" not in row


async def test_a_session_without_turns_is_posted_and_one_that_never_began_is_not() -> None:
    async with posting_server() as server, receiving() as receiver:
        refused = await server.converse(f"webhook_url={quote(receiver.url)}", key="wrong")
        assert refused.code == 1008
        id = await session(server, receiver.url, turns=0)
        await receiver.wait_for(1)
        await settled(server, "delivered")
        assert [each.json for each in receiver.posted] == [{"session_id": id, "messages": []}]


async def test_nine_failures_are_tried_again_within_hours_and_then_it_is_delivered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    failures: list[Answer] = [500, 302, None, b"nonsense\r\n\r\n", 503, 500, 500, 500, 500]
    with caplog.at_level(logging.INFO):
        async with posting_server(clock=clock) as server, receiving(*failures) as receiver:
            await session(server, receiver.url)
            for count, pause in enumerate(PAUSES, start=1):
                await receiver.wait_for(count)
                due = clock.unix_time() + pause
                await until(server, lambda all_, due=due: all_[0].next_at == due)  # type: ignore[misc]
                clock.advance(pause - 1)
                await asyncio.sleep(0.01)
                assert len(receiver.posted) == count, "it is not due yet"
                clock.advance(6)
            await receiver.wait_for(10)
            [one] = await settled(server, "delivered")
            assert (one.attempts, one.last_status) == (10, 200)
    assert len({posted.body for posted in receiver.posted}) == 1
    assert len({posted.headers["webhook-id"] for posted in receiver.posted}) == 1
    assert len({posted.headers["webhook-timestamp"] for posted in receiver.posted}) == 10
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert "attempt 9 of 10" in logged
    assert "secret=yes" not in logged
    assert "two" not in logged.split()


async def test_an_error_of_the_receiver_s_own_judgement_is_final() -> None:
    async with posting_server() as server, receiving(404) as receiver:
        await session(server, receiver.url)
        [one] = await settled(server, "failed")
        assert (one.attempts, one.last_status, one.last_error) == (1, 404, "It answered 404.")
        assert one.next_at is None


async def test_a_receiver_that_hangs_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "SECONDS", 0.1)
    clock = ManualClock()
    async with posting_server(clock=clock) as server, receiving(SILENCE) as receiver:
        await session(server, receiver.url)
        late = "It did not answer within 0.1 s."
        await until(server, lambda all_: all_[0].last_error == late)
        clock.advance(PAUSES[0])
        await settled(server, "delivered")


async def test_those_of_one_account_that_hang_hold_up_no_other() -> None:
    async with (
        posting_server() as server,
        receiving(*[SILENCE] * 6) as hanging,
        receiving() as receiver,
    ):
        await server.store.management.create_account("other", sessions_per_minute=None)
        key = await server.store.management.create_key("other", name="")
        for _ in range(6):
            await session(server, hanging.url, turns=0)
        await hanging.wait_for(4)
        query = f"sample_rate=16000&webhook_url={quote(receiver.url, safe='')}"
        await server.converse(query, [TERMINATE], key=key)
        await receiver.wait_for(1)
        assert len(hanging.posted) == 4


async def test_what_a_server_could_not_post_the_next_one_does(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    clock = ManualClock()

    async def store() -> Store:
        return await Store.open(url, node="here", clock=clock.unix_time)

    first = await store()
    await first.management.create_account("default", sessions_per_minute=None)
    key = await first.management.create_key("default", name="")
    async with receiving(500) as receiver:
        async with posting_server(registry=first, clock=clock) as server:
            server.key = key
            await session(server, receiver.url)
            await receiver.wait_for(1)
            await until(server, lambda all_: all_[0].last_error is not None)
            async with server.connect(
                f"sample_rate=16000&webhook_url={quote(receiver.url, safe='')}"
            ) as socket:
                await socket.recv()
                ending = asyncio.create_task(server.service.stop())
                with pytest.raises(ConnectionClosed):
                    await socket.recv()
                    await socket.recv()
                await ending
        clock.advance(3600)
        async with posting_server(registry=await store(), clock=clock) as server:
            await settled(server, "delivered", "delivered")
    assert len(receiver.posted) in (2, 3)


async def test_a_private_address_is_refused_at_the_door_or_where_its_name_leads_there() -> None:
    looked_up: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        looked_up.append(host)
        return ["127.0.0.1", "10.1.2.3", "fe80::1"]

    async with receiving() as receiver, serving(extend=[webhooks(resolve=resolve)]) as server:
        for host in ("127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0x7f.1"):
            said = await server.converse(f"webhook_url=http://{host}:{receiver.port}/", [TERMINATE])
            assert said.code == 3006, host
            assert "in its own network" in said.messages[0]["error"]
        await session(server, f"http://hook.example:{receiver.port}/", turns=0)
        [one] = await settled(server, "failed")
        assert one.last_error == "hook.example is no public address."
        assert (looked_up, receiver.posted) == (["hook.example"], [])


async def test_a_server_without_accounts_or_webhooks_refuses_the_parameter() -> None:
    query = "sample_rate=16000&webhook_url=https://example.com/"
    async with (
        serving() as without,
        serving(registry=OpenRegistry(), extend=[webhooks()]) as open_,
    ):
        for server in (without, open_):
            said = await server.converse(query, [TERMINATE])
            assert said.code == 3006
            error = said.messages[0]["error"]
            assert error.endswith(
                "Invalid 'webhook_url': Value error, this server does not call webhooks"
            )


async def test_what_the_database_does_not_take_at_once_is_kept_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ManualClock()
    async with posting_server(clock=clock) as server, receiving() as receiver:
        with monkeypatch.context() as broken:

            async def fail(*args: object) -> None:
                raise OSError("the disk is full")

            broken.setattr(Deliveries, "keep", fail)
            await session(server, receiver.url)
            await asyncio.sleep(0.02)
        assert await listed(server) == []
        clock.advance(5)
        await settled(server, "delivered")
