"""What sessions may be asked for, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support import TERMINATE, Conversation, Server, serving
from tests.wire.values import VALUES, Values
from turnwire.webhooks.sending import webhooks


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(extend=[webhooks()]) as server:
        yield server


async def asked(server: Server, *query: tuple[str, str]) -> Conversation:
    return await server.converse(urlencode(query), [TERMINATE])


async def updated(server: Server, values: Values, name: str, value: str) -> Conversation:
    update = json.dumps({name: native(value), "type": "UpdateConfiguration"})
    query = urlencode([("session_warnings", "true"), *values.beside])
    return await server.converse(query, [update, TERMINATE])


def native(value: str) -> Any:
    """A value as JSON has it."""
    try:
        return json.loads(value)
    except ValueError:
        return {"True": True, "False": False}.get(value, value)


def warnings(said: Conversation) -> list[tuple[int, str]]:
    return [
        (message["warning_code"], message["warning"])
        for message in said.messages
        if message["type"] == "Warning"
    ]


async def codes(
    server: Server, ask: Callable[[Server, str, Values], Awaitable[Conversation]]
) -> dict[str, int | None]:
    """How sessions end that are asked for each parameter in turn."""
    said = await asyncio.gather(*(ask(server, name, values) for name, values in VALUES.items()))
    return {name: each.code for name, each in zip(VALUES, said, strict=True)}


async def test_a_right_value_opens_a_session(server: Server) -> None:
    async def ask(server: Server, name: str, values: Values) -> Conversation:
        said = await asked(server, *values.beside, (name, values.right))
        assert said.types == ["Begin", "Termination"]
        return said

    assert await codes(server, ask) == dict.fromkeys(VALUES, 1000)


async def test_a_wrong_value_is_3006(server: Server) -> None:
    async def ask(server: Server, name: str, values: Values) -> Conversation:
        said = await asked(server, *values.beside, (name, values.wrong))
        assert said.types == ["Error"]
        assert "Invalid '" in said.messages[0]["error"]
        return said

    assert await codes(server, ask) == dict.fromkeys(VALUES, 3006)


async def test_an_odd_value_is_taken_as_it_is_meant_or_is_3006(server: Server) -> None:
    async def ask(server: Server, name: str, values: Values) -> Conversation:
        # The name of the model loaded is a right one, and here that is another one.
        odd = "echo" if name == "speech_model" else values.odd
        return await asked(server, *values.beside, (name, odd))

    expected = {name: 1000 if values.odd_is_taken else 3006 for name, values in VALUES.items()}
    assert await codes(server, ask) == expected


async def test_an_update_follows_the_same_table(server: Server) -> None:
    async def right(server: Server, name: str, values: Values) -> Conversation:
        return await updated(server, values, name, values.right)

    async def wrong(server: Server, name: str, values: Values) -> Conversation:
        return await updated(server, values, name, values.wrong)

    assert await codes(server, right) == dict.fromkeys(VALUES, 1000)
    # What is no number in a query string is one in JSON.
    whole = [name for name, values in VALUES.items() if values.wrong == "160.0"]
    assert await codes(server, wrong) == dict.fromkeys(VALUES, 3006) | dict.fromkeys(whole, 1000)


async def test_what_changes_nothing_gets_a_warning_if_warnings_are_asked_for(
    server: Server,
) -> None:
    query = [("domain", "medical-v1"), ("interruption_delay", "300")]
    assert warnings(await asked(server, *query)) == []
    assert warnings(await asked(server, *query, ("session_warnings", "true"))) == [
        (3006, "'domain' has no effect: the model is the same for all domains"),
        (3006, "'interruption_delay' has no effect: only Universal-3 models have it"),
    ]


async def test_an_update_that_changes_nothing_gets_a_warning(server: Server) -> None:
    update = {"type": "UpdateConfiguration", "sample_rate": 8000, "encoding": "pcm_s16le"}
    messages = [json.dumps(update), TERMINATE]
    said = await server.converse("session_warnings=true", messages)
    assert warnings(said) == [
        (3006, "'sample_rate' has no effect: it cannot be changed while the session runs")
    ]
    assert said.code == 1000


async def test_redaction_is_refused_whenever_it_is_asked_for(server: Server) -> None:
    update = json.dumps({"type": "UpdateConfiguration", "redact_pii": True})
    said = await server.converse("", [update, TERMINATE])
    assert (said.code, said.messages[-1]["error"]) == (
        3006,
        "User Input Validation Error: Invalid 'redact_pii': "
        "Value error, this server does not redact",
    )


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("sample_rate=8000&sample_rate=16000", 3006),
        ("sample_rate=8000&sample_rate=8000", 1000),
        ("token=a&token=b", 3006),
        ("keyterms_prompt=%5B%22Ada%22%5D&keyterms_prompt=%5B%22Grace%22%5D", 1000),
        ("keyterms_prompt%5B%5D=Ada&keyterms_prompt%5B%5D=Grace", 1000),
        ("keyterms_prompt=Ada&keyterms_prompt=Grace", 3006),
        ("speech_model%5B%5D=whisper-rt&speech_model=u3-rt-pro", 3006),
    ],
)
async def test_no_value_of_a_repeated_name_is_lost(server: Server, query: str, code: int) -> None:
    said = await server.converse(query, [TERMINATE])
    assert said.code == code


async def test_a_model_that_the_protocol_does_not_know_is_refused_with_the_list(
    server: Server,
) -> None:
    said = await asked(server, ("speech_model", "nova-3"))
    assert said.code == 3006
    for name in ("universal-streaming-english", "universal-3-6-pro", "whisper-rt", "echo"):
        assert name in said.messages[0]["error"]


async def test_without_a_model_begin_names_one_of_the_protocol(server: Server) -> None:
    said = await asked(server)
    assert said.messages[0]["configuration"]["model"] == "universal-streaming-multilingual"
