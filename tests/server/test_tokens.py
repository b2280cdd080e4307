"""Temporary tokens over HTTP."""

from collections.abc import AsyncIterator

import pytest

from tests.support import TERMINATE, Server, serving
from turnwire.accounts.admission import OpenRegistry


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


async def get(server: Server, query: str, key: str | None = "") -> tuple[int, dict[str, object]]:
    key = server.key if key == "" else key
    async with server.http(headers={} if key is None else {"Authorization": key}) as http:
        response = await http.get(f"/v3/token?{query}")
        return response.status_code, response.json()


@pytest.mark.parametrize("scheme", ["", "Bearer ", "bearer "])
async def test_a_token_opens_one_session(server: Server, scheme: str) -> None:
    status, answer = await get(server, "expires_in_seconds=60", f"{scheme}{server.key}")
    assert (status, answer["expires_in_seconds"]) == (200, 60)
    assert (await server.converse(f"token={answer['token']}", [TERMINATE], key=None)).code == 1000
    assert (await server.converse(f"token={answer['token']}", [TERMINATE], key=None)).code == 1008


async def test_a_token_is_taken_in_the_header_as_sdks_send_it(server: Server) -> None:
    _, answer = await get(server, "expires_in_seconds=60")
    assert (await server.converse("", [TERMINATE], key=str(answer["token"]))).code == 1000


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", "Invalid 'expires_in_seconds': Field required"),
        (
            "expires_in_seconds=0",
            "Invalid 'expires_in_seconds': Input should be greater than or equal to 1",
        ),
        (
            "expires_in_seconds=601",
            "Invalid 'expires_in_seconds': Input should be less than or equal to 600",
        ),
        (
            "expires_in_seconds=60&max_session_duration_seconds=59",
            "Invalid 'max_session_duration_seconds': Input should be greater than or equal to 60",
        ),
        (
            "expires_in_seconds=soon",
            "Invalid 'expires_in_seconds': "
            "Value error, invalid literal for int() with base 10: 'soon'",
        ),
    ],
)
async def test_what_cannot_be_asked_for_is_400(server: Server, query: str, error: str) -> None:
    assert await get(server, query) == (400, {"error": error})


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (None, "Unauthorized Connection: Missing Authorization header"),
        ("nobody", "Unauthorized Connection: Invalid API key"),
    ],
)
async def test_who_has_no_key_gets_no_token(server: Server, key: str | None, error: str) -> None:
    assert await get(server, "expires_in_seconds=60", key) == (401, {"error": error})


async def test_a_token_does_not_get_another_token(server: Server) -> None:
    _, answer = await get(server, "expires_in_seconds=60")
    status, _ = await get(server, "expires_in_seconds=60", str(answer["token"]))
    assert status == 401


async def test_a_store_that_is_down_is_500_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(OpenRegistry):
        async def issue_token(
            self, credential: str | None, *, expires_in: int, max_seconds: int
        ) -> str:
            raise OSError("the database is gone")

    async with serving(registry=Broken()) as server:
        for _ in range(3):
            answer = await get(server, "expires_in_seconds=60", "x")
            assert answer == (500, {"error": "Internal error"})
    told = "A token could not be issued: the database is gone."
    [record] = [record for record in caplog.records if record.getMessage().startswith(told)]
    assert record.exc_info is None


async def test_the_closure_table_is_served(server: Server) -> None:
    async with server.http() as http:
        rows = (await http.get("/v3/closures.json")).json()
    expired = next(row for row in rows if row["name"] == "session_expired")
    assert expired["code"] == 3008
    assert expired["text"] == "Session Expired: Maximum session duration exceeded"
    assert expired["retry_after"] == 0


async def test_an_api_key_is_refused_as_a_token_and_says_what_to_do() -> None:
    async with serving() as server:
        said = await server.converse(f"token={server.key}", [TERMINATE], key=None)
    assert said.types == ["Error"]
    assert (said.code, said.reason) == (
        1008,
        "Unauthorized Connection: "
        "?token= takes no API key, as logs keep it; send it as a header or get a token",
    )


async def test_a_setting_takes_api_keys_as_tokens() -> None:
    async with serving(keys_in_query=True) as server:
        said = await server.converse(f"token={server.key}", [TERMINATE], key=None)
    assert said.code == 1000
