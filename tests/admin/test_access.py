"""Who may use the admin API, and what is made of what does not make sense."""

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest

from tests.admin.conftest import administered
from tests.support import PATIENCE, ManualClock, converse, serving
from turnwire.accounts.admin_keys import AdminKeys
from turnwire.accounts.admission import RENEWAL_SECONDS, OpenRegistry
from turnwire.accounts.database import sqlite_url
from turnwire.accounts.store import Store
from turnwire.admin.extension import Admin, admin
from turnwire.admin.feed import CHECKED_SECONDS, MOST_LISTENERS
from turnwire.admin.paths import PREFIX
from turnwire.admin.seen import Part
from turnwire.server.app import create_app
from turnwire.server.wrong_keys import FREE_WRONG_KEYS, WRONG_KEY_SECONDS


def routes(api: Admin) -> list[tuple[str, str]]:
    """The method and an example of the path of each."""
    listed = [
        (method.upper(), re.sub(r"{.*?}", "1", path.removeprefix("/")))
        for path, methods in api.api.openapi()["paths"].items()
        for method in methods
    ]
    assert len(listed) > 20
    return [*listed, ("GET", "openapi.json"), ("GET", "nothing")]


async def test_each_route_wants_an_admin_key() -> None:
    async with administered() as it:
        for method, path in routes(it.admin):
            for key, why in (
                ("", "is needed"),
                ("twa_x", "no admin key"),
                (it.server.key, "no adm"),
            ):
                it.server.service.wrong_keys._suspects.clear()
                answer = await it.http.request(method, path, headers={"Authorization": key})
                assert answer.status_code == 401, (method, path, key)
                assert why in answer.json()["error"]
                assert answer.headers["www-authenticate"] == "Bearer"
                assert answer.headers["cache-control"] == "no-store"
        bearer = {"Authorization": f"Bearer {it.key}"}
        assert (await it.http.get("accounts", headers=bearer)).status_code == 200
        assert (await it.http.get("accounts")).headers["cache-control"] == "no-store"
        assert (await it.server.converse("sample_rate=16000", key=it.key)).code == 1008
        await AdminKeys(it.server.store.database).revoke(1)
        assert (await it.http.get("accounts")).status_code == 401


@pytest.mark.parametrize("from_anywhere", [False, True])
async def test_each_route_answers_this_machine_only_unless_told_otherwise(
    from_anywhere: bool,
) -> None:
    async with administered(from_anywhere=from_anywhere) as it:
        status = 401 if from_anywhere else 403
        elsewhere = httpx.ASGITransport(create_app(it.server.service), client=("192.0.2.7", 9))
        async with httpx.AsyncClient(transport=elsewhere, base_url=f"http://x{PREFIX}/") as http:
            for method, path in routes(it.admin):
                answer = await http.request(method, path)
                assert (answer.status_code, list(answer.json())) == (status, ["error"])
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            # By a proxy on this machine.
            headers = {header: "192.0.2.7", "Authorization": ""}
            assert (await it.http.get("accounts", headers=headers)).status_code == status


async def test_wrong_keys_that_keep_coming_are_answered_late() -> None:
    clock = ManualClock()
    async with administered(clock=clock) as it:
        wrong = {"Authorization": "twa_wrong"}
        for _ in range(FREE_WRONG_KEYS):
            assert (await it.http.get("accounts", headers=wrong)).status_code == 401
        asking = asyncio.create_task(it.http.get("accounts", headers=wrong))
        done, _ = await asyncio.wait([asking], timeout=0.3)
        assert not done
        clock.advance(WRONG_KEY_SECONDS)
        assert (await asking).status_code == 401


async def test_a_server_without_accounts_has_nothing_to_look_after() -> None:
    async with serving(registry=OpenRegistry(), extend=[admin()]) as server, server.http() as http:
        answer = await http.get(f"{PREFIX}/accounts")
        assert (answer.status_code, "--no-auth" in answer.json()["error"]) == (404, True)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "accounts", b""),
        ("POST", "accounts", b"\xff"),
        ("POST", "accounts", b"[" * 10_000),
        ("POST", "accounts", b'{"name": " "}'),
        ("POST", "accounts", b'{"name": "\\u0000"}'),
        ("POST", "accounts", b'{"name": "a", "balance": 5}'),
        ("POST", "accounts", b'{"name": "a", "balance_seconds": 1e300}'),
        ("POST", "accounts", b'{"name": "a", "balance_seconds": NaN}'),
        ("POST", "accounts", b'{"name": "a", "max_sessions": 0}'),
        ("PATCH", "accounts/default", b'{"enabled": null}'),
        ("PATCH", "accounts/default", b'{"name": "other"}'),
        ("POST", "accounts/default/top-ups", b'{"seconds": 1}'),
        ("POST", "accounts/default/top-ups", b'{"seconds": 1, "reason": "a\\nb"}'),
        ("POST", "accounts/default/tokens", b'{"expires_in_seconds": 0}'),
        ("DELETE", "keys/x", b""),
        ("GET", "sessions?limit=0", b""),
        ("GET", "sessions?since=inf", b""),
        ("GET", "sessions?nothing=1", b""),
        ("GET", "usage?by=", b""),
        ("GET", "usage?by=day,nothing", b""),
        ("GET", "closures?step=1", b""),
        ("GET", "closures?since=0", b""),
        ("GET", "closures?since=5&until=1", b""),
    ],
)
async def test_what_makes_no_sense_is_refused_in_a_sentence(
    method: str, path: str, body: bytes
) -> None:
    async with administered() as it:
        answer = await it.http.request(
            method, path, content=body, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, list(answer.json())) == (400, ["error"]), answer.text
        assert (await it.get("accounts/default"))["enabled"]


async def test_what_is_not_there_is_said_to_be_so() -> None:
    async with administered() as it:
        for method, path in (
            ("GET", "accounts/nobody"),
            ("GET", "sessions/x"),
            ("POST", "sessions/x/end"),
            ("GET", "sessions?after=x"),
            ("GET", "sessions?account=nobody"),
            ("DELETE", f"keys/{2**70}"),
        ):
            answer = await it.http.request(method, path)
            assert (answer.status_code, list(answer.json())) == (404, ["error"]), path
        form = await it.http.post(
            "accounts", content=b'{"name": "a"}', headers={"Content-Type": "text/plain"}
        )
        assert form.status_code == 400, "what a page of another origin can send is not taken"
        assert (await it.http.put("accounts")).json() == {
            "error": "There is no such method for this path."
        }


async def test_a_session_of_another_node_is_ended_by_hand(tmp_path: Path) -> None:
    clock = ManualClock()
    store = await Store.open(sqlite_url(tmp_path), node="other")
    here = await Store.open(sqlite_url(tmp_path), node="here")
    await store.management.create_account("default")
    key = await store.management.create_key("default", name="")
    async with (
        serving(registry=store, clock=clock, extend=[admin()]) as other,
        administered(registry=here) as it,
    ):
        async with other.connect("sample_rate=16000", key=key) as socket:
            id = json.loads(await socket.recv())["id"]
            assert (await it.get("live"))["items"] == []
            assert (await it.http.post(f"sessions/{id}/end")).status_code == 202
            clock.advance(RENEWAL_SECONDS)
            ended = await converse(socket)
            assert ended.messages[-1]["error"] == "Unauthorized Connection: Ended by an operator"
            assert ended.code == 1008
        assert (await it.get(f"sessions/{id}"))["closure"] == "access_ended"
        assert (await it.http.post(f"sessions/{id}/end")).status_code == 409
        assert {node["name"] for node in (await it.get("nodes"))["items"]} == {"other", "here"}


async def test_listeners_are_bounded_and_leave_with_their_key() -> None:
    clock = ManualClock()
    async with administered(clock=clock) as it:
        async with it.http.stream("GET", "events") as answer:
            lines = answer.aiter_lines()
            assert await anext(lines) == "event: snapshot"
            it.admin.feed._listeners += MOST_LISTENERS - 1
            crowded = await it.http.get("events")
            assert (crowded.status_code, list(crowded.json())) == (503, ["error"])
            it.admin.feed._listeners -= MOST_LISTENERS - 1
            await AdminKeys(it.server.store.database).revoke(1)
            clock.advance(CHECKED_SECONDS)
            async with asyncio.timeout(PATIENCE):
                async for _ in lines:
                    pass
        assert it.admin.feed._listeners == 0


async def test_listeners_share_what_takes_long_to_see(monkeypatch: pytest.MonkeyPatch) -> None:
    async with administered() as it:
        feed, parts = it.admin.feed, it.admin.feed._seen.parts
        answered, asked = asyncio.Event(), 0

        async def slow() -> list[Part]:
            nonlocal asked
            asked += 1
            await answered.wait()
            return await parts()

        monkeypatch.setattr(feed._seen, "parts", slow)
        listeners = [feed.listen(1) for _ in range(3)]
        first, *others = (asyncio.ensure_future(anext(each)) for each in listeners)
        while not asked:
            await asyncio.sleep(0)
        # One that goes takes it from nobody.
        first.cancel()
        answered.set()
        events = await asyncio.gather(*others)
        assert events[0] == events[1]
        assert b'"live":' in events[0]
        # The one that went had asked; the others asked once together.
        assert asked == 2


async def test_a_listener_that_goes_is_forgotten() -> None:
    async with administered() as it:
        async with it.http.stream("GET", "events") as answer:
            await anext(answer.aiter_lines())
        async with asyncio.timeout(PATIENCE):
            while it.admin.feed._listeners:
                await asyncio.sleep(0.01)
