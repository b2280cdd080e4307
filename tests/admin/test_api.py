"""The admin API on a real server: what an operator does with it, and sees."""

import asyncio
import json
from typing import Any

import pytest

from tests.admin.conftest import administered
from tests.support import TERMINATE, ManualClock, loud
from turnwire.admin.feed import EVERY_SECONDS
from turnwire.transport import front


async def test_an_account_from_its_making_to_its_end() -> None:
    async with administered() as it:
        http = it.http
        made = await http.post("accounts", json={"name": "a/b", "balance_seconds": 60})
        assert made.status_code == 201
        account = {
            "name": "a/b",
            "enabled": True,
            "balance_seconds": 60.0,
            "max_sessions": None,
            "sessions_per_minute": 100,
            "created_at": made.json()["created_at"],
            "open_sessions": 0,
        }
        assert made.json() == account
        changed = await http.patch("accounts/a%2Fb", json={"max_sessions": 3})
        assert changed.json() == account | {"max_sessions": 3}
        topped = await http.post("accounts/a/b/top-ups", json={"seconds": 60.5, "reason": "paid"})
        assert (topped.status_code, topped.json()["balance_after"]) == (201, 120.5)
        assert await it.get("accounts/a/b/top-ups") == {"items": [topped.json()]}

        key = (await http.post("accounts/a/b/keys", json={"name": "phone"})).json()
        said: list[bytes | str] = [loud(500), TERMINATE]
        conversation = await it.server.converse("sample_rate=16000", said, key=key.pop("key"))
        assert conversation.code == 1000
        [kept] = (await it.get("keys", account="a/b"))["items"]
        assert kept["last_used_at"] is not None
        assert kept | {"last_used_at": None} == key
        [session] = (await it.get("sessions", account="a/b", code=1000))["items"]
        assert (session["closure"], session["code"], session["audio_seconds"]) == (
            "session_ended",
            1000,
            0.5,
        )
        assert await it.get(f"sessions/{session['id']}") == session
        assert await it.get("usage", by="day,account") == {
            "items": [
                {
                    "day": (await it.get("usage", by="day"))["items"][0]["day"],
                    "account": "a/b",
                    "sessions": 1,
                    "audio_seconds": 0.5,
                    "session_seconds": session["session_seconds"],
                    "billed_seconds": 0.5,
                }
            ]
        }
        [endings] = (await it.get("closures"))["items"]
        assert endings["counts"] == {"session_ended": 1}

        assert (await http.delete(f"keys/{key['id']}")).json()["revoked_at"] is not None
        assert (await http.delete("accounts/a/b")).json() == {"ok": True}
        assert (await http.get("accounts/a/b")).status_code == 404
        again = await http.post("accounts", json={"name": "a/b"})
        assert (again.status_code, again.json()) == (
            409,
            {"error": "An account named a/b was deleted, and the ledger keeps its name."},
        )
        assert (await it.get("sessions", account="a/b"))["items"] == [session]


async def test_what_there_is_to_see_of_a_server() -> None:
    async with administered() as it, it.server.connect("sample_rate=16000") as socket:
        begin = json.loads(await socket.recv())
        await socket.send(loud(500))
        while (turn := json.loads(await socket.recv()))["type"] != "Turn":
            pass
        [live] = (await it.get("live"))["items"]
        assert (live["id"], live["account"], live["expires_at"]) == (
            begin["id"],
            "default",
            begin["expires_at"],
        )
        assert live["client"].startswith("Python/")
        assert (live["audio_seconds"], live["turns"]) == (0.5, turn["turn_order"])
        assert live["partial_ms"] is not None
        engine = await it.get("engine")
        assert (engine["model"], engine["sessions"], engine["draining"]) == ("echo", 1, False)
        [node] = (await it.get("nodes"))["items"]
        assert (node["name"], node["here"]) == ("test", True)
        assert (await it.http.delete("accounts/default")).status_code == 409
        await socket.send(TERMINATE)
        async for _ in socket:
            pass
        assert await it.get("live") == {"items": []}


async def test_snapshots_come_until_the_server_stops() -> None:
    async with administered() as it, it.http.stream("GET", "events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert await anext(lines) == "event: snapshot"
        snapshot: dict[str, Any] = json.loads((await anext(lines)).removeprefix("data: "))
        assert snapshot.keys() == {"at", "live", "engine", "nodes"}
        assert snapshot["engine"]["draining"] is False
        it.server.service.stopping.set()
        async for _ in lines:
            pass


async def test_a_drain_is_asked_for() -> None:
    async with administered() as it:
        assert (await it.http.post("drain")).status_code == 202
        assert it.server.service.drain_asked.is_set()
        assert (await it.get("engine"))["draining"] is True


async def test_an_answer_that_goes_on_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "EXCHANGE_SECONDS", 0.5)
    clock = ManualClock()
    async with administered(clock=clock) as it, it.http.stream("GET", "events") as answer:
        lines = answer.aiter_lines()
        for _ in range(5):
            assert await anext(lines) == "event: snapshot"
            await anext(lines)
            await anext(lines)
            await asyncio.sleep(0.2)
            clock.advance(EVERY_SECONDS)
