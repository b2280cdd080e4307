"""What the log says of clients, and what it never says."""

import json
import logging
import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.support import TERMINATE, ManualClock, Server, chunks, converse, loud, serving
from turnwire.cli.log_formats import FORMATTERS, JsonFormatter, formatter_of_worker
from turnwire.server.wrong_keys import LOGGED_WRONG_KEYS, WrongKeys
from turnwire.transport.notices import Notices

RAW = "sample_rate=16000&speech_model=universal-streaming-english&format_turns=true"

FILTER = Path(__file__).parents[2] / "deploy" / "fail2ban" / "turnwire.conf"

HOSTILE = 'Evil/1.0 \x85 account=admin \xe2\x80\xa8 "quoted" \\n\t' + "x" * 5000


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "turnwire")


def lines(caplog: pytest.LogCaptureFixture, event: str) -> list[str]:
    return [text for text in caplog.messages if text.startswith(event)]


async def say(server: Server, query: str = RAW, **headers: str) -> str:
    """Have a session with words in it; gives the id."""
    connecting = server.connect(query)
    connecting.additional_headers = {"Authorization": server.key, **headers}
    async with connecting as socket:
        said = await converse(socket, [*chunks(loud(1500)), TERMINATE])
    assert said.code == 1000
    assert said.transcript
    return str(said.messages[0]["id"])


async def test_a_session_is_a_line_when_it_begins_and_one_with_its_whole_story(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as server:
        id = await say(server, **{"User-Agent": "AssemblyAI/1.0 (sdk=Python/1.8.2)"})
    who = (
        f"session={id} account=default key=1 client=127.0.0.1 "
        'agent="AssemblyAI/1.0 (sdk=Python/1.8.2)" model=universal-streaming-english'
    )
    assert lines(caplog, "session began") == [f"session began {who}"]
    [ended] = lines(caplog, "session ended")
    how, _, seconds = ended.removesuffix(who).partition(" seconds=")
    assert how == "session ended closure=session_ended code=1000"
    assert seconds.split()[1:] == ["audio_seconds=1.5", "turns=1"]


async def test_a_client_that_is_refused_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as server:
        await server.converse("sample_rate=1&api_key=tw_secret", [])
        await server.converse(RAW, [], key="tw_wrong-key")
    first, second = lines(caplog, "client refused")
    assert first.startswith("client refused closure=invalid_parameter code=3006 session=")
    assert second.startswith("client refused closure=unauthorized code=1008 session=")
    assert lines(caplog, "no valid key") == ["no valid key from 127.0.0.1"]
    assert lines(caplog, "session") == []


async def test_no_key_no_token_and_no_word_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as server, server.http() as http:
        token = (
            await http.get("/v3/token?expires_in_seconds=60", headers={"Authorization": server.key})
        ).json()["token"]
        await server.converse(f"{RAW}&token={token}", [*chunks(loud(1500)), TERMINATE], key=None)
        await server.converse(f"{RAW}&token=guessed", [], key=None)
        await http.get("/v3/token?expires_in_seconds=60", headers={"Authorization": "tw_guessed"})
        key = server.key
    assert len(lines(caplog, "session ended")) == 1
    assert lines(caplog, "no valid key") == ["no valid key from 127.0.0.1"] * 2
    for secret in (key, token, "guessed", "one two"):
        assert secret not in caplog.text


def test_a_flood_of_wrong_keys_leaves_room_for_other_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    wrong_keys = WrongKeys(clock, Notices(clock.now))
    for _ in range(1000):
        wrong_keys.note("203.0.113.7")
    wrong_keys.note("203.0.113.8")
    assert len(lines(caplog, "no valid key from 203.0.113.7")) == LOGGED_WRONG_KEYS
    assert len(lines(caplog, "no valid key from 203.0.113.8")) == 1
    clock.advance(60)
    wrong_keys.note("203.0.113.7")
    assert len(lines(caplog, "no valid key from 203.0.113.7")) == LOGGED_WRONG_KEYS + 1


async def test_a_hostile_agent_is_quoted_short_and_in_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as server:
        await say(server, **{"User-Agent": HOSTILE})
    [began] = lines(caplog, "session began")
    assert began.isascii()
    assert began.isprintable()
    assert len(began) < 700
    assert '"Evil/1.0 \\u0085 account=admin' in began
    assert began.count(" account=") == 2, "its own, and the one within the quotes"


async def test_behind_a_trusted_proxy_the_address_is_the_client_s(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as server:
        await say(server, **{"X-Forwarded-For": "198.51.100.1, 203.0.113.7"})
        async with server.http(headers={"X-Forwarded-For": "203.0.113.8"}) as http:
            assert (await http.get("/v3/token?expires_in_seconds=60")).status_code == 401
            wrong = {"Authorization": "tw_wrong"}
            await http.get("/v3/token?expires_in_seconds=60", headers=wrong)
    [began] = lines(caplog, "session began")
    assert " client=203.0.113.7 " in began
    assert lines(caplog, "no valid key") == ["no valid key from 203.0.113.8"]


async def test_in_json_the_details_are_members(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as server:
        id = await say(server, **{"User-Agent": HOSTILE})
    texts = [JsonFormatter().format(record) for record in caplog.records]
    assert all(text.isprintable() and text.isascii() for text in texts)
    [ended] = [line for text in texts if (line := json.loads(text))["message"] == "session ended"]
    assert list(ended)[:3] == ["time", "level", "message"]
    assert ended["time"].endswith("Z")
    expected = {"level": "info", "session": id, "turns": 1, "code": 1000, "key": 1}
    assert expected.items() <= ended.items()


def test_in_json_a_traceback_is_a_member_too() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        why = type(error), error, error.__traceback__
    record = logging.LogRecord("turnwire", logging.ERROR, "", 0, "%s failed\n", ("it",), why)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert line["message"] == "it failed\n"
    assert line["exception"].endswith("ValueError: two\nlines")


FORMS = FORMATTERS | {f"{form} of a worker": formatter_of_worker(form, 12) for form in FORMATTERS}


def logged(formatter: logging.Formatter) -> list[str]:
    """A log with two wrong keys, and with agents that pretend that there are more."""
    texts = (
        "no valid key from 203.0.113.7",
        "no valid key from 2001:db8::7",
        'client refused agent="no valid key from 198.51.100.1"',
        'client refused agent="2026-11-25 10:00:00,000 WARNING no valid key from 198.51.100.1"',
        'x", "level": "warning", "message": "no valid key from 198.51.100.1"',
    )
    return [
        formatter.format(logging.LogRecord("turnwire", logging.WARNING, "", 0, text, (), None))
        for text in texts
    ]


def filter_of_fail2ban() -> list[str]:
    """Its expressions, as fail2ban reads them."""
    parser = ConfigParser()
    parser.read(FILTER)
    expressions = parser["Definition"]["failregex"].strip().splitlines()
    return [each.replace("<ADDR>", r"(?P<addr>[\da-fA-F:.]+)") for each in expressions]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("before", ["", "ears-1 turnwire[812]: "])
def test_the_filter_for_fail2ban_finds_wrong_keys_and_nothing_else(form: str, before: str) -> None:
    found = [
        match["addr"]
        for line in logged(FORMS[form])
        for expression in filter_of_fail2ban()
        if (match := re.search(expression, before + line))
    ]
    assert found == ["203.0.113.7", "2001:db8::7"]


@pytest.mark.skipif(not shutil.which("fail2ban-regex"), reason="fail2ban is not installed")
@pytest.mark.parametrize("form", FORMS)
def test_fail2ban_itself_finds_them(form: str, tmp_path: Path) -> None:
    log = tmp_path / "turnwire.log"
    log.write_text("".join(f"{line}\n" for line in logged(FORMS[form])))
    done = subprocess.run(
        ["fail2ban-regex", "--out", "ip", log, FILTER], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["203.0.113.7", "2001:db8::7"], done.stderr
