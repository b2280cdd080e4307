"""The console's files, and what the server answers to those without an admin key."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

from tests.support import ManualClock, Server, serving
from turnwire.accounts.admin_keys import AdminKeys
from turnwire.accounts.admission import OpenRegistry
from turnwire.admin.cookies import FORGET, LIFETIME_SECONDS, MOST_BROWSERS, Cookies, Unanswered
from turnwire.admin.extension import Admin, admin
from turnwire.admin.paths import PREFIX
from turnwire.server.siblings import Alone, Answer, Answers
from turnwire.webhooks.api import deliveries

WEB = Path(str(files("turnwire.web")))
FOLDER = WEB / "console"

SCRIPTS = [path for path in sorted(WEB.rglob("*.js")) if path.parent.name != "vendor"]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(extend=[admin(also=[deliveries])]) as server:
        yield server


@asynccontextmanager
async def signed_in(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the console's cookie, and without its header and Origin."""
    _, key = await AdminKeys(server.store.database).create("test")
    async with server.http() as http:
        answer = await http.post("/console/login", json={"key": key}, headers=own_page(http))
        assert answer.status_code == 204
        yield http


def own_page(http: httpx.AsyncClient) -> dict[str, str]:
    return {"Origin": f"http://{http.base_url.netloc.decode()}", "X-Turnwire-Console": "1"}


def paths(server: Server) -> list[tuple[str, str]]:
    """The method and an example of the path of each route of the admin API."""
    [extension] = server.service.extensions
    assert isinstance(extension, Admin)
    listed = [
        (method.upper(), PREFIX + re.sub(r"{.*?}", "1", path))
        for path, methods in extension.api.openapi()["paths"].items()
        for method in methods
    ]
    assert len(listed) > 15
    return listed


async def test_nothing_is_told_without_the_key(server: Server) -> None:
    async with signed_in(server) as other:
        [name] = other.cookies
    async with server.http(cookies={name: "guessed"}, headers={"X-Turnwire-Console": "1"}) as http:
        for method, path in paths(server):
            answer = await http.request(method, path)
            assert answer.status_code == 401, path
            assert list(answer.json()) == ["error"], path


async def test_another_page_changes_nothing_in_the_name_of_a_browser_that_is_signed_in(
    server: Server,
) -> None:
    other = {"Origin": "http://evil.example", "X-Turnwire-Console": "1"}
    async with signed_in(server) as http:
        own = own_page(http)
        for method, path in paths(server):
            if method == "GET":
                continue
            for headers in ({}, other, {"Origin": own["Origin"]}, {"X-Turnwire-Console": "1"}):
                answer = await http.request(method, path, headers=headers)
                assert answer.status_code == 403, (path, headers)
        answer = await http.post(f"{PREFIX}/accounts", json={"name": "mine"}, headers=own)
        assert answer.status_code == 201


async def test_a_key_that_is_revoked_closes_the_console(server: Server) -> None:
    async with signed_in(server) as http:
        assert (await http.get(f"{PREFIX}/accounts")).status_code == 200
        await AdminKeys(server.store.database).revoke(1)
        assert (await http.get(f"{PREFIX}/accounts")).status_code == 401


async def test_one_is_signed_in_at_two_servers_of_a_host() -> None:
    async with (
        serving(extend=[admin()]) as one,
        serving(extend=[admin()]) as two,
        signed_in(one) as http,
        signed_in(two) as other,
    ):
        # As browsers do, whatever the ports.
        shared = dict(http.cookies) | dict(other.cookies)
        for server in (one, two):
            async with server.http(cookies=shared) as both:
                assert (await both.get(f"{PREFIX}/accounts")).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{}", b'{"key": 1}', b"\xff", b'["key"]'])
async def test_a_sign_in_without_sense_is_answered_in_a_sentence(
    server: Server, body: bytes
) -> None:
    async with server.http() as http:
        answer = await http.post("/console/login", content=body, headers=own_page(http))
        assert (answer.status_code, list(answer.json())) == (400, ["error"])
        assert "set-cookie" not in answer.headers


async def test_the_cookie_is_sent_over_tls_only_where_there_is_tls(server: Server) -> None:
    _, key = await AdminKeys(server.store.database).create("test")
    async with server.http() as http:
        host = http.base_url.netloc.decode()
        for scheme, secure in (("https", True), ("http", False)):
            headers = own_page(http) | {"Origin": f"{scheme}://{host}"}
            answer = await http.post("/console/login", json={"key": key}, headers=headers)
            assert ("Secure" in answer.headers["set-cookie"]) == secure


@pytest.mark.parametrize(("from_anywhere", "status"), [(False, 403), (True, 204)])
async def test_from_other_machines_one_signs_in_and_out_only_where_they_may(
    from_anywhere: bool, status: int
) -> None:
    async with serving(extend=[admin(from_anywhere=from_anywhere)]) as server:
        _, key = await AdminKeys(server.store.database).create("test")
        async with server.http(headers={"X-Forwarded-For": "192.0.2.1"}) as http:
            answer = await http.post("/console/login", json={"key": key}, headers=own_page(http))
            assert answer.status_code == status
            answer = await http.post("/console/logout", headers=own_page(http))
            assert answer.status_code == status


async def test_a_server_without_accounts_says_that_there_is_nothing_to_see() -> None:
    async with serving(registry=OpenRegistry(), extend=[admin()]) as server, server.http() as http:
        assert (await http.get("/console")).status_code == 200
        answer = await http.post("/console/login", json={"key": "x"}, headers=own_page(http))
        assert (answer.status_code, list(answer.json())) == (404, ["error"])


async def test_the_page_has_a_policy_and_is_found_with_a_slash_too(server: Server) -> None:
    async with server.http(follow_redirects=True) as http:
        answer = await http.get("/console/")
        assert answer.url.path == "/console"
        assert "require-trusted-types-for 'script'" in answer.headers["content-security-policy"]
        assert (await http.get("/console/%2e%2e/files.py")).status_code == 404


async def test_a_cookie_lasts_for_half_a_day_and_there_are_not_too_many() -> None:
    clock = ManualClock()
    cookies = Cookies(clock, Alone())
    first = cookies.issue(1)
    clock.advance(LIFETIME_SECONDS - 1)
    assert await cookies.key_of(first) == 1
    clock.advance(1)
    assert await cookies.key_of(first) is None
    second, third = cookies.issue(2), cookies.issue(3)
    for _ in range(MOST_BROWSERS - 1):
        cookies.issue(4)
    assert (await cookies.key_of(second), await cookies.key_of(third)) == (None, 3)


class Others(Alone):
    """Two more processes, of which one answers only when it is to, and maybe nothing."""

    def __init__(self, key: int | None = None) -> None:
        super().__init__()
        self.key = key
        self.answers = asyncio.Event()
        self.asked = asyncio.Event()
        self.told: dict[str, Answer] = {}

    def answer(self, question: str, answer: Answer) -> None:
        self.told[question] = answer

    async def ask(self, question: str, details: str = "") -> Answers:
        self.asked.set()
        await self.answers.wait()
        known = {2: json.dumps([self.key, 60.0])} if self.key else {}
        return Answers({3: json.dumps([None, 0.0])} | known, workers=3)


async def test_a_sign_out_stands_whatever_was_answered_before_it() -> None:
    others = Others(key=1)
    cookies = Cookies(ManualClock(), others)
    asking = asyncio.create_task(cookies.key_of("cookie"))
    await others.asked.wait()
    await others.told[FORGET]("cookie")
    others.answers.set()
    assert await asking is None
    others.key = None
    with pytest.raises(Unanswered):
        await cookies.key_of("cookie")
    others.key = 2
    assert await cookies.key_of("cookie") == 2


def test_what_is_not_ours_is_what_its_authors_published() -> None:
    vendor = FOLDER / "vendor"
    sums = dict(line.split()[::-1] for line in (vendor / "SHA256SUMS").read_text().splitlines())
    assert sums == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.iterdir()
        if path.name.startswith("uPlot")
    }
    assert (vendor / "LICENSE-uPlot.txt").is_file()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_scripts_make_no_markup_of_text_and_name_no_path_from_the_root(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b", text)
    # Behind a proxy that keeps a prefix, the root is somebody else's.
    assert not re.search(r"""["'`]/(?!/)""", text)
